/** HTTP proxies on the way out: which one the environment asks for, and a connection through it. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, isIPv6, type Socket } from 'node:net';
import { formatTarget, type Target } from './protocol.ts';

/** A proxy that could not be reached, or that does not let the connection through. */
export class ProxyProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ProxyProblem';
  }
}

/**
 * The proxy for a TLS connection to this target, by the variables that curl and Go read: HTTPS_PROXY or https_proxy, and NO_PROXY or no_proxy with
 * host names, `.suffixes`, addresses, CIDR ranges, each with `:port` or without, and `*`. Never one for this host itself.
 * @throws TypeError for a proxy that is no http or https URL
 */
export function proxyFromEnvironment(target: Target, environment: Readonly<Record<string, string | undefined>>): URL | undefined {
  const given = environment.HTTPS_PROXY || environment.https_proxy;
  if (!given || isExcepted(target, environment.NO_PROXY || environment.no_proxy || '')) return undefined;
  const proxy = URL.parse(given.includes('://') ? given : `http://${given}`);
  if (proxy === null || (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')) {
    throw new TypeError('HTTPS_PROXY is not the URL of an HTTP proxy (http://host:port)');
  }
  return proxy;
}

/**
 * A connection to the target through the proxy, by CONNECT (RFC 9110 section 9.3.6); user and password of the URL are sent as Basic.
 * @throws ProxyProblem, or the signal's reason
 */
export function connectThroughProxy(proxy: URL, target: Target, signal: AbortSignal): Promise<Socket> {
  const secure = proxy.protocol === 'https:';
  const authority = formatTarget(target);
  const where = `the proxy ${proxy.host}`;
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || (secure ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...credentialsOf(proxy) },
      agent: false,
      signal,
    });
    request.once('connect', (response, socket: Socket, head) => {
      const { statusCode = 0, statusMessage = '' } = response;
      if (statusCode >= 200 && statusCode < 300 && head.length === 0) return resolve(socket);
      socket.destroy();
      reject(new ProxyProblem(`${where} answers ${statusCode} ${statusMessage} to CONNECT ${authority}`));
    });
    request.once('response', (response) => {
      response.destroy();
      reject(new ProxyProblem(`${where} answers ${response.statusCode} to CONNECT ${authority}`));
    });
    request.on('error', (error) => {
      reject(signal.aborted ? signal.reason : new ProxyProblem(`${where} cannot be reached: ${error.message}`, error));
    });
    request.end();
  });
}

function credentialsOf({ username, password }: URL): Record<string, string> {
  if (username === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

function isExcepted({ host, port }: Target, exceptions: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || isLoopback(name)) return true;
  return exceptions
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || matches(entry.toLowerCase(), name, port));
}

function matches(entry: string, name: string, port: number): boolean {
  const [, address, prefix] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (address !== undefined && isIP(address) !== 0) return isIP(name) !== 0 && isWithin(name, address, Number(prefix));
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+|[0-9a-f:]+))(?::(\d+))?$/.exec(entry) ?? [];
  if (digits !== undefined && Number(digits) !== port) return false;
  const wanted = (bracketed ?? plain ?? entry).replace(/^\*?\./, '');
  return name === wanted || (isIP(name) === 0 && name.endsWith(`.${wanted}`));
}

function isWithin(name: string, address: string, prefix: number): boolean {
  if (isIPv6(address) !== isIPv6(name) || prefix > (isIPv6(address) ? 128 : 32)) return false;
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  return list.check(name, family);
}

function isLoopback(name: string): boolean {
  return isIP(name) !== 0 && (isWithin(name, '127.0.0.0', 8) || isWithin(name, '::1', 128));
}
