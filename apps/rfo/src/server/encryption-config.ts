import { randomBytes } from 'node:crypto';
import { fail, readFileIfExists, writeFileAtomic } from '@rfo/foundation';

export type EncryptionProvider = 'aescbc' | 'secretbox';

/** An entry of `providers`: one cipher with its keys. */
type Provider = Readonly<Record<string, unknown>>;
type EncryptionConfig = { readonly resources: readonly [{ readonly providers: readonly Provider[] }] };

/**
 * The EncryptionConfiguration under which Secrets are written encrypted and old plain ones can still be read.
 * Source: apiserver.config.k8s.io/v1.
 * @param key 32 bytes
 */
export function renderEncryptionConfig(provider: EncryptionProvider, key: Uint8Array): string {
  const keys = [{ name: `${provider}key`, secret: Buffer.from(key).toString('base64') }];
  return render([{ [provider]: { keys } }, { identity: {} }]);
}

/**
 * The configuration with this provider in the first place, where new Secrets are written with it, or undefined when that is so already.
 * No provider and no key ever leaves it, as the Secrets written with it would be lost.
 * @param key 32 bytes, for a provider that has none yet
 */
export function withProvider(current: string, provider: EncryptionProvider, key: Uint8Array): string | undefined {
  const { providers } = (JSON.parse(current) as EncryptionConfig).resources[0];
  const [first] = providers;
  if (first !== undefined && provider in first) return undefined;
  const known = providers.find((each) => provider in each);
  if (known !== undefined) return render([known, ...providers.filter((each) => each !== known)]);
  const [fresh] = (JSON.parse(renderEncryptionConfig(provider, key)) as EncryptionConfig).resources[0].providers;
  return render(fresh === undefined ? providers : [fresh, ...providers]);
}

/**
 * Makes the encryption key of a new cluster, or adds one when another provider is configured than before.
 * @throws data-unreadable
 */
export async function ensureEncryptionConfig(file: string, provider: EncryptionProvider): Promise<void> {
  const current = await readFileIfExists(file);
  const key = randomBytes(32);
  const wanted = current === undefined ? renderEncryptionConfig(provider, key) : changed(file, () => withProvider(current, provider, key));
  if (wanted !== undefined) await writeFileAtomic(file, wanted, 0o600);
}

function changed(file: string, change: () => string | undefined): string | undefined {
  try {
    return change();
  } catch (error) {
    throw fail('data-unreadable', { file }, error);
  }
}

function render(providers: readonly Provider[]): string {
  return `${JSON.stringify(
    { kind: 'EncryptionConfiguration', apiVersion: 'apiserver.config.k8s.io/v1', resources: [{ resources: ['secrets'], providers }] },
    undefined,
    2,
  )}\n`;
}
