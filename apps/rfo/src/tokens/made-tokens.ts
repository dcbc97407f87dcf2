// Makes and lists the tokens that are Secrets.
import { isAlreadyExists, type KubeClient, type Secret, secretKind } from '@rfo/kube';
import { hashSecret, type MadeToken, madeTokenType, parseMadeToken, renderMadeToken, tokenNamespace } from './made-token.ts';
import { makeIdCredential, type TokenCredential } from './token-format.ts';

/** @returns the credential: the only place where its secret is ever shown */
export async function createMadeToken(
  client: KubeClient,
  wish: {
    readonly role: MadeToken['role'];
    readonly description: string;
    /** Milliseconds since 1970. */
    readonly expires: number | undefined;
    readonly maxUses: number | undefined;
    readonly signal: AbortSignal;
  },
): Promise<TokenCredential & { readonly kind: 'id' }> {
  const { role, description, expires, maxUses, signal } = wish;
  for (;;) {
    const credential = makeIdCredential();
    const token: MadeToken = {
      id: credential.id,
      hash: hashSecret(credential.secret),
      role,
      description,
      ...(expires !== undefined && { expires }),
      ...(maxUses !== undefined && { maxUses }),
      uses: 0,
      nodes: [],
    };
    try {
      await client.create(renderMadeToken(token), { signal });
      return credential;
    } catch (error) {
      // One in two thousand million has the id of another.
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

/** All of them by id, expired ones too; what is not valid is left out. */
export async function listMadeTokens(client: KubeClient, signal: AbortSignal): Promise<readonly MadeToken[]> {
  const { items } = await client.list<Secret>(secretKind, { namespace: tokenNamespace, fieldSelector: `type=${madeTokenType}`, signal });
  return items.flatMap((secret) => parseMadeToken(secret) ?? []).sort((one, other) => (one.id < other.id ? -1 : 1));
}
