/** Those outside who vouch for people: a real OpenID provider and a real directory, on the host of the manager. */

import type { Service } from '../../lab/index.ts';
import { dataDir, type Node, untilLine } from '../node.ts';
import { toolCommand } from '../tools.ts';

export const clientSecret = 'the secret of the client rfo';
export const searcher = { dn: 'cn=searcher,dc=example,dc=org', password: 'looks for people' };
export const passwordAt = (person: string): string => `the password of ${person} there`;

const folder = '/root/outside';
const [cert, key] = [`${folder}/tls.crt`, `${folder}/tls.key`];
/** What is trusted of them, on the host. */
export const outsideCa = cert;

type People = Readonly<Record<string, readonly string[]>>;

export type Outside = {
  readonly issuer: string;
  readonly directory: string;
  /** Who is there, and in which groups, from now on. */
  readonly setOpenidPeople: (people: People) => Promise<void>;
  /** Starts the directory anew with these people; each keeps its entryUUID. */
  readonly setDirectoryPeople: (people: People) => Promise<void>;
};

/** @param manager address of the manager, to which the provider `corp` sends browsers back */
export async function startOutside(
  hub: Node,
  { manager, signal }: { readonly manager: string; readonly signal: AbortSignal },
): Promise<Outside> {
  const { host } = hub;
  const [issuer, directory] = [`https://${host.ip}:9443`, `${host.ip}:6636`];
  await host.must(['mkdir', '-p', folder]);
  const subject = ['-subj', '/CN=outside', '-addext', `subjectAltName=IP:${host.ip}`];
  const wish = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  await host.must(['openssl', 'req', '-x509', ...wish, ...subject, '-keyout', key, '-out', cert]);

  const setOpenidPeople: Outside['setOpenidPeople'] = async (people) => {
    const accounts = Object.fromEntries(Object.entries(people).map(([name, groups]) => [name, { name, groups }]));
    await host.writeFile(`${folder}/people.json`, JSON.stringify(accounts));
  };
  await setOpenidPeople({});
  const redirect = `${manager}/sign-in/back/corp`;
  const openid = await host.spawn(
    'openid-provider',
    [...toolCommand('openid-provider'), issuer, cert, key, `${folder}/people.json`, redirect],
    {
      CLIENT_SECRET: clientSecret,
    },
  );
  await untilLine(openid, /^listening$/, { signal, within: 60_000 });

  let running: Service | undefined;
  let started = 0;
  return {
    issuer,
    directory,
    setOpenidPeople,
    setDirectoryPeople: async (people) => {
      await host.writeFile(`${folder}/content.ldif`, renderLdif(people));
      if (running !== undefined) {
        running.signal('SIGTERM');
        await running.exited;
      }
      started += 1;
      const command = [...toolCommand('directory'), '6636', cert, key, `${folder}/content.ldif`];
      running = await host.spawn(`directory-${started}`, command, { PATH: `${dataDir}/bin:/usr/sbin:/usr/bin:/sbin:/bin` });
      await untilLine(running, /^listening$/, { signal, within: 60_000 });
    },
  };
}

function renderLdif(people: People): string {
  const suffix = 'dc=example,dc=org';
  const names = Object.keys(people);
  const groups = [...new Set(Object.values(people).flat())];
  const entries = [
    [`dn: ${suffix}`, 'objectClass: domain', 'dc: example'],
    ...['people', 'groups'].map((unit) => [`dn: ou=${unit},${suffix}`, 'objectClass: organizationalUnit', `ou: ${unit}`]),
    [
      `dn: ${searcher.dn}`,
      ...['objectClass: organizationalRole', 'objectClass: simpleSecurityObject', 'cn: searcher'],
      `userPassword: ${searcher.password}`,
    ],
    ...names.map((name) => [
      `dn: uid=${name},ou=people,${suffix}`,
      ...['objectClass: inetOrgPerson', `uid: ${name}`, `cn: ${name}`, `sn: ${name}`, `mail: ${name}@example.org`],
      `userPassword: ${passwordAt(name)}`,
      `entryUUID: ${uuidOf(name)}`,
    ]),
    ...groups.map((group) => [
      `dn: cn=${group},ou=groups,${suffix}`,
      ...['objectClass: groupOfNames', `cn: ${group}`],
      ...names.filter((name) => people[name]?.includes(group)).map((name) => `member: uid=${name},ou=people,${suffix}`),
    ]),
  ];
  return entries.map((lines) => `${lines.join('\n')}\n`).join('\n');
}

/** The same for the same name: who comes back after a start is who he was. */
function uuidOf(name: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0').slice(0, 12)}`;
}
