/** Reads certificates and private keys from where cfssl's flags say: a path, `file:PATH`, `env:NAME`. */
import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fail, systemCode } from '@rfo/foundation';
import { decodeKey } from '@rfo/pki';

export type Variables = Readonly<Record<string, string | undefined>>;

/** The variable that decrypts a CA's key, in cfssl's words. */
const passwordVariable = 'CFSSL_CA_PK_PASSWORD';

/**
 * The text that a specification names.
 * @param spec a path, `file:PATH` or `env:NAME`
 * @throws ca-file-unreadable
 */
export async function readSpec(spec: string, env: Variables): Promise<string> {
  const [, kind, rest = ''] = /^(env|file):(.*)$/s.exec(spec) ?? [];
  if (kind === 'env') {
    const text = env[rest] ?? '';
    if (text === '') throw fail('ca-file-unreadable', { file: spec, problem: 'the variable is not set' });
    return text;
  }
  try {
    return await readFile(kind === 'file' ? rest : spec, 'utf8');
  } catch (error) {
    throw fail('ca-file-unreadable', { file: spec, problem: reasonOf(error) }, error);
  }
}

/**
 * The private key that a specification names: PKCS8, SEC1 or PKCS1 in PEM, encrypted or not; also under the label that cfssl gives Ed25519 keys.
 * @throws ca-file-unreadable, key-unreadable
 */
export async function readPrivateKey(spec: string, env: Variables): Promise<KeyObject> {
  const passphrase = env[passwordVariable] ?? '';
  return decodeKey(await readSpec(spec, env), spec, passphrase === '' ? undefined : passphrase);
}

/** PEM of a new private key, PKCS8; encrypted where a password is set. */
export function renderPrivateKey(key: KeyObject, env: Variables): string {
  const passphrase = env[passwordVariable] ?? '';
  const encryption = passphrase === '' ? {} : { cipher: 'aes-256-cbc', passphrase };
  return String(key.export({ type: 'pkcs8', format: 'pem', ...encryption }));
}

function reasonOf(error: unknown): string {
  if (systemCode(error) === 'ENOENT') return 'there is no such file';
  return error instanceof Error ? error.message : String(error);
}
