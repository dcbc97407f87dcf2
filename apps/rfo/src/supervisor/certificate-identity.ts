import type { TLSSocket } from 'node:tls';
import { RfoError } from '@rfo/foundation';
import { type CertificateInfo, decodeCertificate } from '@rfo/pki';
import type { Caller } from './api.ts';

type Identity = Extract<Caller, { kind: 'anonymous' | 'administrator' | 'node' }>;

/**
 * Who a connection's client certificate speaks for. Node verified the chain against the client CA at the handshake; here counts whom it names, and
 * that it has not ended since.
 * @param now milliseconds since 1970
 */
export function certificateIdentity(socket: TLSSocket, now: number): Identity {
  const certificate = certificateOf(socket);
  if (certificate === undefined || now < certificate.notBefore || now > certificate.notAfter) return { kind: 'anonymous' };
  const valuesOf = (type: 'CN' | 'O'): string[] =>
    certificate.subject.filter((attribute) => attribute.type === type).map(({ value }) => value);
  const groups = valuesOf('O');
  if (groups.includes('system:masters')) return { kind: 'administrator' };
  const [user = '', ...more] = valuesOf('CN');
  const nodeName = /^system:node:(.+)$/.exec(user)?.[1];
  if (nodeName !== undefined && more.length === 0 && groups.includes('system:nodes')) return { kind: 'node', nodeName };
  return { kind: 'anonymous' };
}

const read = new WeakMap<TLSSocket, CertificateInfo | undefined>();

function certificateOf(socket: TLSSocket): CertificateInfo | undefined {
  if (!read.has(socket)) read.set(socket, readCertificate(socket));
  return read.get(socket);
}

function readCertificate(socket: TLSSocket): CertificateInfo | undefined {
  // A resumed connection counts as authorized even if there was no certificate in the first place.
  const raw = socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  if (raw === undefined) return undefined;
  try {
    return decodeCertificate(raw, 'the certificate of a client');
  } catch (error) {
    // What cannot be read names nobody.
    if (error instanceof RfoError) return undefined;
    throw error;
  }
}
