/** The certificates that a TLS server shows. They are not verified: whoever asks wants to see them. */
import type { TLSSocket } from 'node:tls';
import { type CertificateInfo, decodeCertificate } from '@rfo/pki';
import { type HostPort, withDefaultPort } from '../outbound/host-port.ts';
import type { Outbound, TlsWish } from '../outbound/outbound.ts';

const timeout = 10_000;

type Options = { readonly outbound: Outbound; readonly signal: AbortSignal };

/** The leaf of `name`, `name:port` or an address; port 443 by default. @throws OutboundRefused, the system's error */
export async function certificateOfHost(domain: string, options: Options): Promise<CertificateInfo> {
  const [leaf] = await chainOfHost(withDefaultPort(domain, 443), options);
  if (leaf === undefined) throw new Error('received no server certificates');
  return leaf;
}

/** The leaf and those that the server sent with it, each followed by its issuer. */
export async function chainOfHost(
  to: HostPort,
  { outbound, signal, wish = {} }: Options & { readonly wish?: TlsWish },
): Promise<readonly CertificateInfo[]> {
  const socket = await outbound.connectTls(to, { signal, timeout }, wish);
  try {
    return sentCertificates(socket);
  } finally {
    socket.destroy();
  }
}

/** What stands in the handshake of a connection; each one once. */
export function sentCertificates(socket: TLSSocket): readonly CertificateInfo[] {
  const chain: CertificateInfo[] = [];
  // A root is its own issuer.
  const seen = new Set<string>();
  for (let next = socket.getPeerX509Certificate(); next !== undefined && !seen.has(next.fingerprint256); next = next.issuerCertificate) {
    seen.add(next.fingerprint256);
    chain.push(decodeCertificate(next.raw));
  }
  return chain;
}
