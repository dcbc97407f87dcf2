import { randomBytes } from 'node:crypto';
import { readFileIfExists, writeFileAtomic } from '@rfo/foundation';

export type EncryptionProvider = 'aescbc' | 'secretbox';

/**
 * The EncryptionConfiguration under which Secrets are written encrypted and old plain ones can still be read.
 * Source: apiserver.config.k8s.io/v1.
 * @param key 32 bytes
 */
export function renderEncryptionConfig(provider: EncryptionProvider, key: Uint8Array): string {
  const keys = [{ name: `${provider}key`, secret: Buffer.from(key).toString('base64') }];
  return `${JSON.stringify(
    {
      kind: 'EncryptionConfiguration',
      apiVersion: 'apiserver.config.k8s.io/v1',
      resources: [{ resources: ['secrets'], providers: [{ [provider]: { keys } }, { identity: {} }] }],
    },
    undefined,
    2,
  )}\n`;
}

/** Makes the encryption key of a new cluster; one that exists is never touched, as all Secrets would be lost with it. */
export async function ensureEncryptionConfig(file: string, provider: EncryptionProvider): Promise<void> {
  if ((await readFileIfExists(file)) !== undefined) return;
  await writeFileAtomic(file, renderEncryptionConfig(provider, randomBytes(32)), 0o600);
}
