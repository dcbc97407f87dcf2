/**
 * How a program gets the session that its user opened in a browser (RFC 8252): a code goes to the program's own port on loopback, good once, for a
 * minute, and to none but who began it, as that is proven like PKCE (RFC 7636).
 */
import { hash } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { isAlreadyExists } from '@rfo/kube';
import * as z from 'zod/mini';
import type { Objects } from '../../objects/open-objects.ts';
import type { Caller } from '../caller.ts';
import type { Seals } from '../sealed.ts';
import type { SignedIn, SignIns } from '../sign-in.ts';
import { randomName } from '../token-format.ts';

/** What a program sends its user to the browser with. */
export const cliWish = z.object({
  /** Where it listens on 127.0.0.1. */
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  /** SHA-256 of its verifier, base64url. */
  challenge: z.string().check(z.regex(/^[\w-]{43}$/)),
  /** By which it knows the answer. */
  state: z.string().check(z.regex(/^[\w-]{16,128}$/)),
});
export type CliWish = z.output<typeof cliWish>;

export type CliCodes = {
  /** The address to send the browser of a user to who has said yes. Throws what the API says. */
  readonly grant: (caller: Caller, wish: CliWish) => Promise<string>;
  /** A session of its own for the program. Throws sign-in-code-refused, and what the API says. */
  readonly redeem: (answer: { readonly code: string; readonly verifier: string; readonly address: string }) => Promise<SignedIn>;
};

const purpose = 'cli-code';
/** Seconds. */
const goodFor = 60;
const granted = z.object({
  user: z.string(),
  provider: z.string(),
  /** The session in the browser: when that ends, the code ends. */
  by: z.string(),
  /** Of the Token that is made for it: the API makes it once. */
  id: z.string(),
  challenge: z.string(),
});

export function createCliCodes({
  objects,
  sessions,
  seals,
}: {
  readonly objects: Pick<Objects, 'tokens'>;
  readonly sessions: Pick<SignIns, 'open'>;
  readonly seals: Seals;
}): CliCodes {
  return {
    grant: async ({ user, provider, token }, { port, challenge, state }) => {
      const code = await seals.seal(purpose, { user, provider, by: token.id, id: randomName(12), challenge }, goodFor);
      const url = new URL(`http://127.0.0.1:${port}/`);
      url.search = new URLSearchParams({ code, state }).toString();
      return url.href;
    },
    redeem: async ({ code, verifier, address }) => {
      const read = z.safeParse(granted, await seals.open(purpose, code));
      if (!read.success || hash('sha256', verifier, 'base64url') !== read.data.challenge) throw fail('sign-in-code-refused', {});
      const { user, provider, by, id } = read.data;
      const stillHolds = async (): Promise<boolean> => (await objects.tokens.find(by)) !== undefined;
      try {
        return await sessions.open({ user, mustChange: false, stillHolds }, { address, provider, id });
      } catch (error) {
        if (isAlreadyExists(error)) throw fail('sign-in-code-refused', {}, error);
        throw error;
      }
    },
  };
}
