/** What the servers are asked to sign: made by openssl, so that neither side has a hand in it. */
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../lab/index.ts';
import { sharedKey } from './config.ts';

export type Inputs = {
  /** With names and addresses in it. */
  readonly csr: string;
  /** RSA of 1024 bits. */
  readonly weakCsr: string;
  /** Signed with SHA-1. */
  readonly sha1Csr: string;
  /** Asks for CA:TRUE. */
  readonly caCsr: string;
  /** Of somebody who would be an administrator of the cluster. */
  readonly masterCsr: string;
  /** A self-signed certificate of nobody that the servers know, and its key. */
  readonly stranger: string;
  readonly strangerKey: string;
};

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const names = 'subjectAltName=DNS:a.example,DNS:*.b.example,IP:10.0.0.1,IP:fd00::1,email:a@example.com,URI:spiffe://example/a';

export async function makeInputs(): Promise<Inputs> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-cfssl-'));
  try {
    const key = join(folder, 'key.pem');
    const request = (subject: string, ...more: readonly string[]): Promise<string> =>
      must(['openssl', 'req', '-new', '-nodes', '-keyout', key, '-subj', subject, ...more]);
    const csr = await request('/C=SE/ST=Region/L=Stockholm/O=one/O=two/OU=unit/CN=a.example', ...curve, '-addext', names);
    const weakCsr = await request('/CN=weak.example', '-newkey', 'rsa:1024', '-addext', 'subjectAltName=DNS:weak.example');
    const sha1Csr = await request('/CN=sha1.example', ...curve, '-sha1', '-addext', 'subjectAltName=DNS:sha1.example');
    const caCsr = await request('/CN=below', ...curve, '-addext', 'basicConstraints=critical,CA:TRUE');
    const masterCsr = await request('/O=system:masters/CN=evil', ...curve);
    const stranger = await request('/CN=stranger', '-x509', ...curve, '-days', '30', '-addext', 'subjectAltName=DNS:stranger.example');
    return { csr, weakCsr, sha1Csr, caCsr, masterCsr, stranger, strangerKey: await readFile(key, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The same bytes under a label, with a change in them. */
export function changedPem(pem: string, change: (bytes: Buffer) => Buffer, label = 'CERTIFICATE REQUEST'): string {
  const bytes = change(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
  return `-----BEGIN ${label}-----\n${bytes.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;
}

/** The envelope of an authenticated request, as cfssl's client makes it. */
export function authenticated(inner: string, key = sharedKey): { readonly token: string; readonly request: string } {
  const token = createHmac('sha256', Buffer.from(key, 'hex')).update(inner).digest('base64');
  return { token, request: Buffer.from(inner).toString('base64') };
}
