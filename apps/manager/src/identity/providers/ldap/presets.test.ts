import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { TestDirectory } from '@rfo/test-directory';
import { inChain } from './filters.ts';
import { entry, open, password, settingsFor, startDirectory, suffix } from './ldap.testing.ts';
import type { LdapSettings } from './plan.ts';

const [text, number, bytes, time] = ['15', '27', '40', '24'].map((end) => `1.3.6.1.4.1.1466.115.121.1.${end}`);
const words = `EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX ${text}`;
/** Of the schemas of Active Directory and FreeIPA as much as is asked for, under their own numbers. */
const schema = [
  `attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' ${words} SINGLE-VALUE )`,
  `attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX ${bytes} SINGLE-VALUE )`,
  `attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid' EQUALITY octetStringMatch SYNTAX ${bytes} SINGLE-VALUE )`,
  `attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID' EQUALITY integerMatch SYNTAX ${number} SINGLE-VALUE )`,
  `attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX ${number} SINGLE-VALUE )`,
  `attributetype ( 1.2.840.113556.1.4.159 NAME 'accountExpires' EQUALITY integerMatch SYNTAX ${number} SINGLE-VALUE )`,
  `attributetype ( 1.2.840.113556.1.4.782 NAME 'objectCategory' ${words} SINGLE-VALUE )`,
  `attributetype ( 2.16.840.1.113730.3.8.3.1 NAME 'ipaUniqueID' ${words} )`,
  `attributetype ( 2.16.840.1.113730.3.1.610 NAME 'nsAccountLock' ${words} SINGLE-VALUE )`,
  `attributetype ( 2.16.840.1.113719.1.301.4.37.1 NAME 'krbPrincipalExpiration' EQUALITY generalizedTimeMatch SYNTAX ${time} SINGLE-VALUE )`,
  "objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP organizationalPerson STRUCTURAL MAY ( sAMAccountName $ objectGUID $ objectSid $ primaryGroupID $ userAccountControl $ accountExpires $ objectCategory $ mail $ displayName ) )",
  "objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL MUST cn MAY ( sAMAccountName $ objectGUID $ objectSid $ member ) )",
  "objectclass ( 2.16.840.1.113730.3.8.4.1 NAME 'ipaObject' SUP top AUXILIARY MAY ( ipaUniqueID $ nsAccountLock $ krbPrincipalExpiration ) )",
  "objectclass ( 2.16.840.1.113730.3.8.4.3 NAME 'ipaUserGroup' SUP groupOfNames STRUCTURAL )",
];

const guid = (last: number): Buffer => Buffer.from([...Array(15).keys(), last]);
const sid = (last: number): Buffer => {
  const own = Buffer.from('010500000000000515000000a065cf7e784b9b5fe77c8770ffffffff', 'hex');
  own.writeUInt32LE(last, own.length - 4);
  return own;
};
/** 100 ns since 1601 (MS-ADTS). */
const windowsTime = (ms: number): string => String(BigInt(ms + 11_644_473_600_000) * 10_000n);
const hour = 3_600_000;

const adUser = (name: string, last: number, more: Record<string, string> = {}): string =>
  entry(`cn=${name} in full,ou=people,${suffix}`, {
    ...{ objectClass: 'user', cn: `${name} in full`, sn: name, displayName: name.toUpperCase(), sAMAccountName: name },
    ...{ objectCategory: 'person', objectGUID: guid(last), objectSid: sid(1000 + last), primaryGroupID: '513' },
    ...{ userAccountControl: '512', accountExpires: '9223372036854775807', userPassword: password(name), ...more },
  });
const adGroup = (name: string, last: number, members: readonly string[]): string =>
  entry(`cn=${name},ou=groups,${suffix}`, {
    ...{ objectClass: 'group', cn: name, sAMAccountName: name, objectGUID: guid(last), objectSid: sid(last), member: members },
  });
const ipaUser = (uid: string, id: string, more: Record<string, string | string[]> = {}): string =>
  entry(`uid=${uid},ou=people,${suffix}`, {
    ...{ objectClass: ['inetOrgPerson', 'ipaObject'], uid, cn: uid, sn: uid, userPassword: password(uid), ipaUniqueID: id, ...more },
  });

let directory: TestDirectory;
before(async () => {
  const content = [
    adUser('ada', 1),
    adUser('off', 2, { userAccountControl: '514' }),
    adUser('gone', 3, { accountExpires: windowsTime(Date.now() - hour) }),
    adUser('soon', 4, { accountExpires: windowsTime(Date.now() + hour) }),
    adGroup('Domain Users', 513, []),
    adGroup('everybody', 20, [`cn=Domain Users,ou=groups,${suffix}`]),
    adGroup('developers', 21, [`cn=ada in full,ou=people,${suffix}`]),
    adGroup('engineers', 22, [`cn=developers,ou=groups,${suffix}`]),
    ipaUser('ipa', '5f0b1b2c-0000-11f0-8000-000000000001'),
    ipaUser('ipalocked', '5f0b1b2c-0000-11f0-8000-000000000002', { nsAccountLock: 'TRUE' }),
    ipaUser('ipaexpired', '5f0b1b2c-0000-11f0-8000-000000000003', { krbPrincipalExpiration: '20200101000000Z' }),
  ];
  directory = await startDirectory(content, { global: schema });
});
after(() => directory?.stop());

/** The rule for chains is Active Directory's own: here the groups are walked. */
const activeDirectory = (): LdapSettings => settingsFor(directory, { preset: 'active-directory', nested: 'walk' });

it('Active Directory gives objectGUID as Windows writes it, and groups with the primary one and those above', async () => {
  const ours = open(activeDirectory());
  try {
    await ours.check(ours.signal);
    const ada = await ours.signIn('ADA', password('ada'));
    assert.equal(ada?.id, '03020100-0504-0706-0809-0a0b0c0d0e01');
    assert.deepEqual([ada.username, ada.displayName], ['ada', 'ADA']);
    assert.deepEqual(
      ada.groups.map(({ name }) => name),
      ['Domain Users', 'developers', 'engineers', 'everybody'],
    );
    assert.deepEqual(await ours.refresh(ada.id, ours.signal), ada);
    assert.equal(await ours.refresh('03020100-0504-0706-0809-0a0b0c0d0eff', ours.signal), undefined);
    assert.equal(await ours.refresh('no guid', ours.signal), undefined);
  } finally {
    await ours.end();
  }
});

it('Active Directory is asked for chains of groups by its own rule, which other directories do not have', async () => {
  assert.equal(inChain('member', 'cn=a*(b),dc=x').toString(), '(member:1.2.840.113556.1.4.1941:=cn=a\\2a\\28b\\29,dc=x)');
  const ours = open(settingsFor(directory, { preset: 'active-directory' }));
  try {
    assert.deepEqual(await ours.groupsOf('ada'), ['Domain Users']);
    // What slapd makes of a rule that it does not know.
    await directory.said('SRCH base="ou=groups,dc=example,dc=org" scope=2 deref=0 filter="(&(objectClass=group)(|(?=undefined)))"');
  } finally {
    await ours.end();
  }
});

it('accounts that Active Directory or FreeIPA has disabled or that have expired are out of use', async () => {
  const ad = open(activeDirectory());
  const ipa = open(settingsFor(directory, { preset: 'freeipa' }));
  const tomorrow = open(activeDirectory(), { clock: { now: () => Date.now() + 24 * hour } });
  try {
    assert.equal(await ad.signIn('off'), undefined);
    assert.equal(await ad.signIn('gone'), undefined);
    const soon = await ad.signIn('soon');
    assert.equal(soon?.username, 'soon');
    assert.equal(await tomorrow.refresh(soon.id, tomorrow.signal), undefined);
    assert.equal((await ipa.signIn('ipa'))?.id, '5f0b1b2c-0000-11f0-8000-000000000001');
    assert.equal(await ipa.signIn('ipalocked'), undefined);
    assert.equal(await ipa.signIn('ipaexpired'), undefined);
  } finally {
    await Promise.all([ad.end(), ipa.end(), tomorrow.end()]);
  }
});
