/** The signing configuration of a folder, with our own words for what is wrong with it. */
import { readFile } from 'node:fs/promises';
import { fail, readFileIfExists } from '@rfo/foundation';
import { CfsslError } from '../cfssl-error.ts';
import { readAuthKey } from '../config/auth-key.ts';
import { defaultSigningConfig, readSigningConfig } from '../config/read-config.ts';
import type { SigningConfig } from '../config/types.ts';
import type { Variables } from './read-key.ts';

/**
 * Without a file cfssl's own default: one profile, for servers and clients; unless it was asked for by name.
 * @throws ca-config-invalid
 */
export async function readConfigFile(
  file: string,
  {
    env,
    allowEmptyKeys = false,
    mustExist = false,
  }: { readonly env: Variables; readonly allowEmptyKeys?: boolean; readonly mustExist?: boolean },
): Promise<SigningConfig> {
  const text = await readFileIfExists(file);
  if (text === undefined) {
    if (mustExist) throw fail('ca-config-invalid', { file, problem: 'there is no such file' });
    return defaultSigningConfig();
  }
  const sources = { environment: env, file: (path: string) => readFile(path, 'utf8') };
  try {
    return await readSigningConfig(text, { readKey: (spec) => readAuthKey(spec, sources), allowEmptyKeys });
  } catch (error) {
    if (!(error instanceof CfsslError)) throw error;
    throw fail('ca-config-invalid', { file, problem: error.message }, error);
  }
}
