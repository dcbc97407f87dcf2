/** What users sign in with: kept in lower case, so that no two names differ only in that or in how the same letters are encoded. */
import { fail } from '@rfo/foundation';

/** No colon: it ends the name in Basic credentials. No space: it hides at the ends. */
const form = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]{0,63}$/u;

/** The name as it is kept. @throws username-invalid */
export function checkUsername(typed: string): string {
  const username = usernameKey(typed);
  if (!form.test(username)) throw fail('username-invalid', { username: typed.slice(0, 80) });
  return username;
}

/** The same for all ways to type the name. */
export function usernameKey(typed: string): string {
  return typed.normalize('NFKC').trim().toLowerCase();
}
