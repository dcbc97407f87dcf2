/**
 * Small things that the manager gives into other hands and gets back, as what a sign-in in a browser was begun with: nobody can read or change
 * them, and any replica can open what another has sealed, as the key stands in the Secret `rfo-sign-in-key`.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Clock } from '@rfo/foundation';
import { isAlreadyExists, type KubeClient, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';

export type Seals = {
  /** @param purpose what is sealed for one is not opened for another @param seconds for which it can be opened */
  readonly seal: (purpose: string, value: unknown, seconds: number) => Promise<string>;
  /** What was sealed; undefined of anything else, and when it is too old. */
  readonly open: (purpose: string, text: string) => Promise<unknown>;
};

const secretName = 'rfo-sign-in-key';
/** AES-256-GCM, NIST SP 800-38D: bytes of key, nonce and tag. */
const [keyBytes, nonceBytes, tagBytes] = [32, 12, 16];
/** What the manager seals is far shorter. */
const longest = 4096;

/** Both throw what the API says while the key is not known yet. */
export function createSeals(client: KubeClient, namespace: string, clock: Clock): Seals {
  let known: Promise<Buffer> | undefined;
  const key = async (): Promise<Buffer> => {
    known ??= readKey(client, namespace);
    try {
      return await known;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  return {
    seal: async (purpose, value, seconds) => {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', await key(), nonce, { authTagLength: tagBytes }).setAAD(Buffer.from(purpose));
      const plain = JSON.stringify({ value, until: clock.now() + seconds * 1000 });
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open: async (purpose, text) => {
      if (text.length > longest || !/^[\w-]+$/.test(text)) return undefined;
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length <= nonceBytes + tagBytes) return undefined;
      const secret = await key();
      const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString();
        const { value, until } = JSON.parse(plain) as { readonly value: unknown; readonly until: number };
        return until > clock.now() ? value : undefined;
      } catch {
        // Not sealed by us, or for something else.
        return undefined;
      }
    },
  };
}

async function readKey(client: KubeClient, namespace: string): Promise<Buffer> {
  const ref = { ...secretKind, namespace, name: secretName };
  const secret =
    (await client.find<Secret>(ref)) ??
    (await client
      .create({
        ...secretKind,
        type: 'Opaque',
        immutable: true,
        metadata: { name: secretName, namespace },
        data: renderEntries({ key: randomBytes(keyBytes).toString('base64') }),
      })
      .catch(async (error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
        return await client.get<Secret>(ref);
      }));
  const key = Buffer.from(readEntry(secret as Secret, 'key') ?? '', 'base64');
  if (key.length !== keyBytes) throw new Error(`the Secret ${namespace}/${secretName} holds no key: delete it, and another is made`);
  return key;
}
