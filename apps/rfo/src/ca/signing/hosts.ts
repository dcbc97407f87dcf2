/** Hosts as people write them into requests, told apart as cfssl does: IP address, mail address, URI, else DNS name. */
import { type AltName, bytesToIp, ipToBytes } from '@rfo/pki';

/** In the order in which Go writes them into a certificate. */
const order = ['dns', 'email', 'ip', 'uri'] as const;

/** Alternative names for these hosts. An empty one is left out: it is no name (RFC 5280 §4.2.1.6), but many CSR files hold it. */
export function readHosts(hosts: readonly string[]): readonly AltName[] {
  return inOrder(hosts.filter((host) => host !== '').map(readHost));
}

/** By kind, in the order of a certificate; an address in its one spelling, doubles and empty names left out. */
export function inOrder(names: readonly AltName[]): readonly AltName[] {
  const kept = names
    .filter(({ value }) => value !== '')
    .map((name) => (name.type === 'ip' ? { ...name, value: shortest(name.value) } : name));
  return order.flatMap((type) => kept.filter((name) => name.type === type));
}

function readHost(host: string): AltName {
  if (ipToBytes(host) !== undefined) return { type: 'ip', value: host };
  const email = mailAddress(host);
  if (email !== undefined) return { type: 'email', value: email };
  const uri = requestUri(host);
  return uri === undefined ? { type: 'dns', value: host } : { type: 'uri', value: uri };
}

/** One spelling for each; an IPv4 address within IPv6 (`::ffff:10.0.0.1`) is an IPv4 address, as in Go. */
function shortest(address: string): string {
  const bytes = ipToBytes(address);
  if (bytes === undefined) return address;
  const mapped = bytes.length === 16 && bytes.subarray(0, 12).equals(mappedPrefix);
  return bytesToIp(mapped ? bytes.subarray(12) : bytes) ?? address;
}

const mappedPrefix = Buffer.from('00000000000000000000ffff', 'hex');

/** RFC 5322 §3.4 without its comments: `a@b`, `"a b"@c`, `Name <a@b>`; quotes fall away, as they do in Go. */
function mailAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const [, phrase = '', inner = ''] = /^([^<]*)<([^<>]*)>$/.exec(trimmed) ?? [];
  const address = bareAddress.exec(displayName.test(phrase) && inner !== '' ? inner : trimmed)?.[0];
  return address?.replace(/^"(.*)"(?=@)/, (_, local: string) => local.replace(/\\(.)/g, '$1'));
}

/** Each character can be read in one way only, so that no name makes these slow. */
const atomic = "[\\w!#$%&'*+/=?^`{|}~\\u0080-\\uffff-]";
const quoted = '"(?:[^"\\\\\\n]|\\\\.)*"';
const dotted = `${atomic}+(?:\\.${atomic}+)*`;
const bareAddress = new RegExp(`^(?:${dotted}|${quoted})@(?:${dotted}|\\[[^\\[\\]\\\\\\s]*\\])$`);
const displayName = new RegExp(`^(?:${atomic}|[.\\s]|${quoted})*$`);

/**
 * What Go's url.ParseRequestURI takes: `scheme:rest` and `/path`, and so `system:node:a` and `example.com:8443` too. Letters of the scheme become
 * small ones. A host with a space and a broken percent escape make it a DNS name again, which is then refused for what it is.
 */
function requestUri(text: string): string | undefined {
  if (text === '*') return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Go refuses exactly these
  if (/[\x00-\x20\x7f]/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  if (text.startsWith('/')) return text;
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/.exec(text) ?? [];
  return scheme === undefined ? undefined : `${scheme.toLowerCase()}:${rest}`;
}
