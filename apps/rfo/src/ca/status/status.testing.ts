/** A CA with a real database, served on loopback, and the programs that ask it. */
import { execFile } from 'node:child_process';
import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, type Life, type Log, silentLog, systemClock } from '@rfo/foundation';
import {
  type CertificateInfo,
  decodeCertificate,
  encodeKey,
  encodePem,
  generateKey,
  identity,
  issueCertificate,
  issueSelfSigned,
  memoryKey,
  publicKeyBytes,
  type Signer,
  type Usage,
} from '@rfo/pki';
import { openStore } from '../store/open-store.ts';
import type { CertificateStore } from '../store/types.ts';
import { serveStatus } from './serve-status.ts';
import { createStatus, type Status, type StatusInputs } from './status.ts';
import type { ResponderFiles, StatusAuthority } from './types.ts';

export const day = 86_400_000;

export type CaScene = {
  readonly folder: string;
  readonly database: string;
  readonly ca: Signer;
  readonly authority: StatusAuthority;
  /** Lower-case hex, as the database names it. */
  readonly authorityKeyId: string;
  readonly store: CertificateStore;
  /** Issues a certificate that the database knows from then on. */
  readonly issue: () => Promise<Leaf>;
  /** Writes a certificate for OCSP signing, or one that is not quite that, and its key. */
  readonly writeResponder: (change?: ResponderChange) => Promise<ResponderFiles>;
};

export type Leaf = {
  readonly certificate: CertificateInfo;
  readonly serial: bigint;
  readonly key: { serial: string; authorityKeyId: string };
};
export type ResponderChange = {
  readonly usages?: readonly Usage[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly signer?: Signer;
  readonly key?: KeyObject;
};

/** Its folder is removed when the life ends. */
export async function caScene(life: Life, clock: Clock = systemClock): Promise<CaScene> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-status-'));
  life.defer(() => rm(folder, { recursive: true }));
  const ca = makeCa('status-ca');
  const keyId = ca.certificate.subjectKeyId ?? Buffer.alloc(0);
  const authorityKeyId = keyId.toString('hex');
  const authority = { certificate: ca.certificate, identity: { name: ca.certificate.rawSubject, keyId, key: memoryKey(ca.key) } };
  const database = join(folder, 'certdb.db');
  const { store, close } = await openStore({ file: database, clock, log: silentLog });
  life.defer(close);
  await writeFile(join(folder, 'ca.pem'), encodePem('CERTIFICATE', ca.certificate.der));

  const issue = async (): Promise<Leaf> => {
    const certificate = makeLeaf(ca, ['clientAuth']);
    const serial = BigInt(`0x${certificate.serial}`);
    const pem = encodePem('CERTIFICATE', certificate.der);
    await store.insert({
      ...{ serial: serial.toString(), authorityKeyId, caLabel: '', status: 'good', reason: 0, expiry: certificate.notAfter },
      ...{
        revokedAt: undefined,
        issuedAt: clock.now(),
        notBefore: certificate.notBefore,
        metadata: null,
        sans: [],
        commonName: 'leaf',
        pem,
      },
    });
    return { certificate, serial, key: { serial: serial.toString(), authorityKeyId } };
  };
  const writeResponder = async (change: ResponderChange = {}): Promise<ResponderFiles> => {
    const { usages = ['ocspSigning'], signer = ca, key, ...window } = change;
    const certificate = makeLeaf(signer, usages, window);
    const files = { certificate: join(folder, 'ocsp.pem'), key: join(folder, 'ocsp-key.pem') };
    await writeFile(files.key, encodeKey(key ?? certificate.privateKey));
    await writeFile(files.certificate, encodePem('CERTIFICATE', certificate.der));
    return files;
  };
  return { folder, database, ca, authority, authorityKeyId, store, issue, writeResponder };
}

export function makeCa(name: string): Signer {
  const key = generateKey();
  const validity = { notBefore: Date.now() - day, notAfter: Date.now() + 3650 * day };
  const publicKey = publicKeyBytes(createPublicKey(key));
  return { key, certificate: decodeCertificate(issueSelfSigned({ subject: identity(name), publicKey, ca: {}, ...validity }, key)) };
}

function makeLeaf(
  signer: Signer,
  usages: readonly Usage[],
  window: { readonly notBefore?: number; readonly notAfter?: number } = {},
): CertificateInfo & { readonly privateKey: KeyObject } {
  const privateKey = generateKey();
  const publicKey = publicKeyBytes(createPublicKey(privateKey));
  const request = { subject: identity(`leaf-${randomBytes(4).toString('hex')}`), publicKey, usages };
  const { notBefore = Date.now() - day, notAfter = Date.now() + day } = window;
  return { ...decodeCertificate(issueCertificate({ ...request, notBefore, notAfter }, signer)), privateKey };
}

export type ServedScene = CaScene & { readonly status: Status; readonly port: number; readonly url: string };

export async function servedScene(
  life: Life,
  change: {
    readonly clock?: Clock;
    readonly log?: Log;
    readonly delegated?: boolean;
    readonly idleMs?: number;
  } & Partial<StatusInputs> = {},
): Promise<ServedScene> {
  const { clock = systemClock, log = silentLog, delegated = false, idleMs, ...inputs } = change;
  const scene = await caScene(life, clock);
  const authority = delegated ? { ...scene.authority, responder: await scene.writeResponder() } : scene.authority;
  const status = await createStatus({ store: scene.store, authorities: [authority], clock, log, life, ...inputs });
  const { ocsp, handler } = status;
  const bounds = idleMs === undefined ? {} : { idleTime: idleMs };
  const { port } = await serveStatus({ ocsp: () => ocsp, handler, host: '127.0.0.1', port: 0, life, bounds });
  return { ...scene, status, port, url: `http://127.0.0.1:${port}` };
}

/** Everything that `openssl` prints, whether it fails or not. */
export function openssl(folder: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile('openssl', args, { cwd: folder, timeout: 30_000 }, (_, stdout, stderr) => resolve(`${stdout}${stderr}`));
  });
}

/** What `openssl ocsp` says of a serial number after it has asked the responder. */
export function askOpenssl({ folder, url }: ServedScene, serial: bigint, more: readonly string[] = []): Promise<string> {
  const which = ['-issuer', 'ca.pem', ...more, '-serial', `0x${serial.toString(16)}`];
  return openssl(folder, ['ocsp', ...which, '-url', url, '-CAfile', 'ca.pem', '-timeout', '20']);
}
