/** Opens a connection to one server of a directory, as safe as it is set, and says in which phase it failed. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { fail, systemCode } from '@rfo/foundation';
import { certificatesIn, trustedContext } from '../trusted-context.ts';
import type { LdapSettings } from './plan.ts';
import { askForTls } from './start-tls.ts';

type Security = LdapSettings['security'];

/** Milliseconds for each address of a name but the last. */
const moment = 1000;
/** Of getaddrinfo. */
const nameErrors: ReadonlySet<string> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);

export type Server = {
  /** As it was written. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
};

/** @param text host or host:port, an IPv6 address in brackets */
export function serverOf(text: string, security: Security): Server {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? [];
  return { text, host: bracketed ?? plain ?? text, port: Number(port ?? (security === 'tls' ? 636 : 389)) };
}

/**
 * A connected socket that nobody reads yet; with TLS its certificate is verified.
 * @throws ldap-name-unknown, ldap-unreachable, ldap-untrusted, ldap-tls-failed, ldap-ca-invalid, and the signal's reason
 */
export async function connectTo(server: Server, settings: LdapSettings, signal: AbortSignal): Promise<Socket> {
  const { security, caBundle, connectTimeoutSeconds } = settings;
  const tooLate = AbortSignal.timeout(connectTimeoutSeconds * 1000);
  const both = AbortSignal.any([signal, tooLate]);
  let tcp: Socket | undefined;
  try {
    tcp = await openTcp(server, both);
    if (security === 'plain') return tcp;
    if (security === 'start-tls') await startTls(server, tcp, both);
    return await secure(server, tcp, { caBundle, signal: both });
  } catch (error) {
    tcp?.destroy();
    if (signal.aborted) throw signal.reason;
    if (!tooLate.aborted) throw error;
    throw fail('ldap-unreachable', { server: server.text, problem: `no connection within ${connectTimeoutSeconds} s` }, error);
  }
}

/** A name of a domain is often that of all its servers: each address gets a moment, and the last all the time that is left. */
function openTcp({ text, host, port }: Server, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const several = { autoSelectFamily: true, autoSelectFamilyAttemptTimeout: moment };
    const socket = connectTcp({ host, port, keepAlive: true, noDelay: true, ...several });
    const abort = (): void => void socket.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const done = (): void => signal.removeEventListener('abort', abort);
    socket.once('connect', () => {
      done();
      socket.off('error', onError).on('error', ignore);
      resolve(socket);
    });
    const onError = (error: Error): void => {
      done();
      const code = nameErrors.has(systemCode(error) ?? '') ? 'ldap-name-unknown' : 'ldap-unreachable';
      reject(signal.aborted ? signal.reason : fail(code, { server: text, problem: problemOf(error) }, error));
    };
    socket.once('error', onError);
    if (signal.aborted) abort();
  });
}

async function startTls({ text }: Server, socket: Socket, signal: AbortSignal): Promise<void> {
  try {
    await askForTls(socket, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw fail('ldap-tls-failed', { server: text, problem: problemOf(error) }, error);
  }
}

function secure(
  { text, host }: Server,
  socket: Socket,
  { caBundle, signal }: { readonly caBundle: string | undefined; readonly signal: AbortSignal },
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, host, secureContext: contextFor(caBundle), ...(isIP(host) === 0 && { servername: host }) });
    const abort = (): void => void tls.destroy(signal.reason);
    const onClose = (): void => onError(new Error('it ended the connection'));
    const settle = (): void => {
      signal.removeEventListener('abort', abort);
      tls.off('error', onError).off('close', onClose).on('error', ignore);
    };
    const onError = (error: Error): void => {
      settle();
      const code = isUntrusted(error) ? 'ldap-untrusted' : 'ldap-tls-failed';
      reject(signal.aborted ? signal.reason : fail(code, { server: text, problem: problemOf(error) }, error));
    };
    signal.addEventListener('abort', abort, { once: true });
    tls.once('error', onError).once('close', onClose);
    tls.once('secureConnect', () => {
      settle();
      resolve(tls);
    });
    if (signal.aborted) abort();
  });
}

/** Throws ldap-ca-invalid. */
function contextFor(caBundle: string | undefined): SecureContext {
  if (caBundle === undefined) return trustedContext({ ca: undefined, host: true });
  try {
    return trustedContext({ ca: certificatesIn(caBundle), host: false });
  } catch (error) {
    throw fail('ldap-ca-invalid', { problem: problemOf(error) }, error);
  }
}

/** Node's codes for what is wrong with a certificate are those of OpenSSL, without a prefix. */
function isUntrusted(error: Error): boolean {
  return /CERT|SIGNATURE|ISSUER|ALTNAME|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME/.test(systemCode(error) ?? '');
}

/** For the reader: what went wrong, and by which code that is known. */
export function problemOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(problemOf).join(', ');
  const code = systemCode(error);
  // Node adds advice for whoever starts it.
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('; if the root CA');
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

function ignore(): void {
  // What happens to the connection is seen where it is used.
}
