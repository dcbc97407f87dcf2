import { refusalOf } from '../api/refusal.ts';

/** What a client is told of an error, in the words that the REST interface has for it. */
export function refusalText(error: unknown): { readonly code: string; readonly message: string; readonly cure: string } {
  return refusalOf(error, { bodyLimit: 0 }).problem;
}
