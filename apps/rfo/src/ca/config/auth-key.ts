/** The keys of `auth_keys`: HMAC keys in hex, in an environment variable or in a file. */
import { readFile } from 'node:fs/promises';

/** Where keys are kept that are not written down in the configuration itself. */
export type KeySources = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: (path: string) => Promise<string>;
};

/**
 * Reads a key as cfssl does: hex digits, `env:NAME` or `file:/path`. A variable that is not set is an empty key.
 * Throws Error for any other prefix, for a file that cannot be read, and for what is no hex.
 */
export async function readAuthKey(spec: string, sources: KeySources = systemSources): Promise<Buffer> {
  const hex = await keyText(spec, sources);
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) throw new Error('an auth key is an even number of hex digits');
  return Buffer.from(hex, 'hex');
}

const systemSources: KeySources = { environment: process.env, file: (path) => readFile(path, 'utf8') };

async function keyText(spec: string, sources: KeySources): Promise<string> {
  const colon = spec.indexOf(':');
  if (colon < 0) return spec;
  const prefix = spec.slice(0, colon);
  const rest = spec.slice(colon + 1);
  if (prefix === 'env') return sources.environment[rest] ?? '';
  if (prefix === 'file') return (await sources.file(rest)).trim();
  throw new Error(`unknown key prefix: ${prefix}`);
}
