/** What cfssl does and we do not, each switched on by its name (`--cfssl-compat`): for clients that live by it. */
import { fail } from '@rfo/foundation';
import type { CfsslCompatibility } from '@rfo/schema';

/** Each name with its line of help: what becomes allowed. */
export const compatHelp = {
  'open-endpoints': 'newcert, init_ca, gencrl, certadd, revoke, ocspsign and newkey answer anybody, without authentication',
  'default-profile': 'a request for an unknown profile is signed with the default one',
  'any-subject': "any certificate may bear the names of Kubernetes' own identities, system:masters among them",
  'outlive-ca': 'a certificate may end after the CA that signed it',
  'weak-keys': 'requests with an RSA key below 2048 bits or a signature with SHA-1 are signed',
  'empty-keys': 'an auth key may be empty: env:NAME of a variable that is not set, for example',
  'plain-http': 'the API is served without TLS',
  'local-targets': 'bundle, certinfo and scan connect to this host itself, its link and metadata services too when a request asks for it',
} as const satisfies Record<CfsslCompatibility, string>;

export type CompatName = keyof typeof compatHelp;
/** Those switched on; the empty set is the safe default. */
export type Compat = ReadonlySet<CompatName>;

export const compatNames = Object.keys(compatHelp) as readonly CompatName[];

/** Nothing switched on. */
export const strict: Compat = new Set();

/**
 * Reads `--cfssl-compat`: names with commas between them, or `all`.
 * Throws config-invalid for a name that is none.
 */
export function parseCompat(text: string): Compat {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('all')) return new Set(compatNames);
  return new Set(names.filter((name) => name !== '').map(compatName));
}

function compatName(name: string): CompatName {
  const known = compatNames.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  throw fail('config-invalid', {
    key: 'cfssl-compat',
    where: 'the options',
    problem: `"${name}" is no name of a compatibility`,
    cure: `Give some of ${compatNames.join(', ')}, or all`,
  });
}
