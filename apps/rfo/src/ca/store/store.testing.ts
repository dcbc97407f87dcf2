/** What the tests of the store have in common: folders, records, real certificates, and SQLite as Python has it for a second opinion. */
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Clock, createLog, type Log } from '@rfo/foundation';
import { decodeCertificate, encodePem, generateKey, identity, issueCertificate, issueSelfSigned, publicKeyBytes } from '@rfo/pki';
import { type OpenStore, openStore } from './open-store.ts';
import type { CertificateRecord } from './types.ts';

export const start = Date.parse('2026-11-20T07:21:00.250Z');
export const hour = 3_600_000;
export const authorityKeyId = 'ab'.repeat(20);

export function record(serial: number | string, more: Partial<CertificateRecord> = {}): CertificateRecord {
  return {
    serial: String(serial),
    authorityKeyId,
    caLabel: '',
    status: 'good',
    reason: 0,
    expiry: Date.parse('2027-11-20T07:21:00Z'),
    revokedAt: undefined,
    issuedAt: start,
    notBefore: Date.parse('2026-11-20T07:16:00Z'),
    metadata: null,
    sans: ['worker-1', 'worker-1.example'],
    commonName: 'system:node:worker-1',
    pem: `-----BEGIN CERTIFICATE-----\n${'A'.repeat(1024)}\n-----END CERTIFICATE-----\n`,
    ...more,
  };
}

export type Folder = {
  readonly file: string;
  readonly auditFile: string;
  readonly clock: Clock & { now: () => number };
  readonly messages: string[];
  readonly log: Log;
  /** Opened stores are closed with the test. */
  readonly open: (options?: { readonly server?: boolean }) => Promise<OpenStore>;
};

export function folder(t: TestContext): Folder {
  const path = mkdtempSync(join(tmpdir(), 'rfo-store-'));
  const open: OpenStore[] = [];
  t.after(async () => {
    for (const store of open) await store.close();
    rmSync(path, { recursive: true });
  });
  const messages: string[] = [];
  const log = createLog({ write: (line) => messages.push(line) });
  const clock = { now: () => start };
  const file = join(path, 'certdb.db');
  return {
    file,
    auditFile: join(path, 'audit.log'),
    clock,
    messages,
    log,
    open: async (options = {}) => {
      const opened = await openStore({ file, clock, log, ...options });
      let closing: Promise<void> | undefined;
      const once = { ...opened, close: () => (closing ??= opened.close()) };
      open.push(once);
      return once;
    },
  };
}

/** Runs Python's sqlite3 on the file, with `db` the connection; gives what it prints as JSON. */
export function python(file: string, script: string, ...more: string[]): unknown {
  const program = `import json, sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\n${script}\ndb.close()`;
  const output = execFileSync('python3', ['-c', program, file, ...more], { encoding: 'utf8', timeout: 30_000 });
  return output === '' ? undefined : JSON.parse(output);
}

/** A certificate as PEM, with the key of its CA in hex. */
export function realCertificate(commonName: string, hosts: readonly string[]): { pem: string; authorityKeyId: string; serial: string } {
  const key = generateKey();
  const validity = { notBefore: start, notAfter: start + 365 * 24 * hour };
  const ca = decodeCertificate(
    issueSelfSigned({ subject: identity('ca'), publicKey: publicKeyBytes(createPublicKey(key)), ...validity, ca: {} }, key),
  );
  const altNames = hosts.map((value) => ({ type: 'dns', value }) as const);
  const leafKey = publicKeyBytes(createPublicKey(generateKey()));
  const der = issueCertificate({ subject: identity(commonName), publicKey: leafKey, ...validity, altNames }, { key, certificate: ca });
  const { serial, authorityKeyId: authority } = decodeCertificate(der);
  return { pem: encodePem('CERTIFICATE', der), authorityKeyId: authority?.toString('hex') ?? '', serial: BigInt(`0x${serial}`).toString() };
}
