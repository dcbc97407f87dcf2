/** Whether a directory has taken an account out of use. Each has its own attributes for it; all that are there count. */
import type { Entry } from 'ldapts';
import { textOf } from './entry.ts';

/** To be asked for by name: some are shown to nobody who does not. */
export const stateAttributes = [
  'userAccountControl',
  'accountExpires',
  'pwdAccountLockedTime',
  'shadowExpire',
  'nsAccountLock',
  'krbPrincipalExpiration',
] as const;

/** userAccountControl (MS-ADTS 2.2.16). */
const accountDisable = 0x2;
/** Values of accountExpires that mean never (MS-ADA1). */
const never = ['0', '9223372036854775807'];
/** Seconds from 1601, where Windows begins to count, to 1970. */
const windowsEpoch = 11_644_473_600;
/** Of pwdAccountLockedTime: until an administrator ends it (draft-behera-ldap-password-policy). Any other time ends by itself, and the bind knows. */
const forGood = '000001010000Z';

/** @param now milliseconds since 1970 */
export function isOutOfUse(entry: Entry, now: number): boolean {
  const control = Number(textOf(entry, 'userAccountControl') ?? 0);
  const expires = textOf(entry, 'accountExpires') ?? '0';
  const shadow = Number(textOf(entry, 'shadowExpire') ?? -1);
  const principal = readTime(textOf(entry, 'krbPrincipalExpiration'));
  return (
    (control & accountDisable) !== 0 ||
    (!never.includes(expires) && (Number(expires) / 10_000_000 - windowsEpoch) * 1000 <= now) ||
    textOf(entry, 'pwdAccountLockedTime') === forGood ||
    (shadow >= 0 && shadow * 86_400_000 <= now) ||
    textOf(entry, 'nsAccountLock')?.toLowerCase() === 'true' ||
    (principal !== undefined && principal <= now)
  );
}

/** Generalized Time in UTC, to the second (RFC 4517, 3.3.13). */
function readTime(text: string | undefined): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?Z$/.exec(text ?? '') ?? [];
  const [year, month, day, hour, minute, second = '0'] = parts;
  return parts.length === 0
    ? undefined
    : Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
}
