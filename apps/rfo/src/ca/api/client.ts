/** Who is at the other end of a connection, known by the certificate that it showed in the handshake. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type CertificateInfo, decodeCertificate, findChain, nameValue } from '@rfo/pki';
import type { ApiRequest } from './types.ts';

export type Client = NonNullable<ApiRequest['client']>;

/** The CAs whose certificates count: of operators (`-mutual-tls-ca`), and this CA itself, whose certificates can be renewed with themselves. */
export type ClientAuthorities = { readonly operators: readonly CertificateInfo[]; readonly own: readonly CertificateInfo[] };

const clients = new WeakMap<Socket, Client>();

/** Undefined for a connection without a certificate that was verified. */
export function clientOf(socket: Socket): Client | undefined {
  return clients.get(socket);
}

/**
 * Looks, once for each connection, at the certificate that OpenSSL has verified against all of the CAs together, and keeps who that is.
 * Whose CA it comes from is found out by signatures: what else the client sent along is no proof of anything.
 */
export function rememberClient(socket: TLSSocket, authorities: ClientAuthorities & { readonly now: number }): void {
  if (!socket.authorized) return;
  const sent = sentChain(socket);
  const [certificate] = sent;
  if (certificate === undefined) return;
  const operator = isOf(authorities.operators, { certificate, sent, now: authorities.now });
  if (!operator && !isOf(authorities.own, { certificate, sent, now: authorities.now })) return;
  const { subject } = certificate;
  clients.set(socket, {
    commonName: nameValue(subject, 'CN') ?? '',
    organizations: subject.filter(({ type }) => type === 'O').map(({ value }) => value),
    certificate,
    operator,
  });
}

/** The leaf first; Node links each certificate to the one above, the topmost to itself. */
function sentChain(socket: TLSSocket): readonly CertificateInfo[] {
  const chain: CertificateInfo[] = [];
  for (let next = socket.getPeerCertificate(true); next?.raw !== undefined && chain.length < 10; next = next.issuerCertificate) {
    chain.push(decodeCertificate(next.raw, 'the certificate of a client'));
    if (next.issuerCertificate === next) break;
  }
  return chain;
}

function isOf(
  roots: readonly CertificateInfo[],
  { certificate, sent, now }: { readonly certificate: CertificateInfo; readonly sent: readonly CertificateInfo[]; readonly now: number },
): boolean {
  if (roots.length === 0) return false;
  try {
    findChain(certificate, { roots, intermediates: sent.slice(1), now });
    return true;
  } catch {
    return false;
  }
}
