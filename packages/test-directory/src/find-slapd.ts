/** Finds slapd: the one that the repository has unpacked, or that of the host. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';

export type Slapd = {
  /** Folder of `slapd` and `slapadd`. */
  readonly programs: string;
  readonly modules: string;
  readonly schemas: string;
  /** What its process needs to find its libraries. */
  readonly env: Readonly<Record<string, string>>;
};

const unpacked = join(import.meta.dirname, '../../../.cache/host-packages/slapd');

/** Throws tool-missing. */
export function findSlapd(): Slapd {
  for (const root of [unpacked, '/']) {
    const programs = join(root, 'usr/sbin');
    if (!existsSync(join(programs, 'slapd'))) continue;
    const libraries = globSync([join(root, 'usr/lib/*-linux-gnu'), join(root, 'lib/*-linux-gnu')]);
    return {
      programs,
      modules: theOne(join(root, 'usr/lib*/{ldap,openldap}')),
      schemas: theOne(join(root, 'etc/{ldap,openldap}/schema')),
      env: root === '/' ? {} : { LD_LIBRARY_PATH: libraries.join(':') },
    };
  }
  throw fail('tool-missing', { what: 'slapd', cure: 'Let the repository fetch it: npm test -- --only unit' });
}

function theOne(pattern: string): string {
  const [found] = globSync(pattern);
  if (found === undefined) throw new Error(`slapd is incomplete: there is no ${pattern}`);
  return found;
}
