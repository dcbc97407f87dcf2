/** What a password has to be. Length is what counts; rules about kinds of characters only make people write it down. (NIST SP 800-63B §5.1.1) */
import { fail } from '@rfo/foundation';

/** Of characters: more than the most adds nothing. */
export const passwordLength = { least: 12, most: 256 } as const;

/**
 * @param about what is known of the user and so of no use as a password
 * @throws password-weak
 */
export function checkPassword(
  password: string,
  about: { readonly username: string; readonly email?: string | undefined; readonly old?: string },
): void {
  const length = [...password.normalize('NFKC')].length;
  const { least, most } = passwordLength;
  if (length < least) throw fail('password-weak', { problem: `has ${length} characters, and ${least} are needed` });
  if (length > most) throw fail('password-weak', { problem: `has ${length} characters, and ${most} are the most` });
  const plain = fold(password);
  if (plain === fold(about.username) || plain === fold(about.email ?? ''))
    throw fail('password-weak', { problem: 'is the name of the user' });
  if (password === about.old) throw fail('password-weak', { problem: 'is the old one' });
}

function fold(text: string): string {
  return text.normalize('NFKC').trim().toLowerCase();
}
