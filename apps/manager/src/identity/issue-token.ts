/** Makes a Token and the one credential that fits it. */
import { isAlreadyExists } from '@rfo/kube';
import type { Token } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import { type Credential, hashSecret, makeCredential } from './token-format.ts';

/** The secret of the credential is nowhere else. */
export type Issued = { readonly token: Token; readonly credential: Credential };

export type TokenWish = Pick<Token['spec'], 'user' | 'kind' | 'provider' | 'clusters' | 'description' | 'idleSeconds' | 'readOnly'> & {
  /** Milliseconds since 1970. */
  readonly expires: number;
};

/**
 * Throws what the API says.
 * @param id of the token, where it may be made once alone: a second time is the API's refusal (`isAlreadyExists`)
 */
export async function issueToken(objects: Pick<Objects, 'tokens'>, { expires, ...wish }: TokenWish, id?: string): Promise<Issued> {
  for (;;) {
    const made = makeCredential();
    const credential = { ...made, id: id ?? made.id };
    const spec = { ...wish, hash: hashSecret(credential.secret), expiresAt: new Date(expires).toISOString() };
    try {
      return { token: await objects.tokens.create({ metadata: { name: credential.id }, spec }), credential };
    } catch (error) {
      // One in 10^18 has the id of another.
      if (id !== undefined || !isAlreadyExists(error)) throw error;
    }
  }
}
