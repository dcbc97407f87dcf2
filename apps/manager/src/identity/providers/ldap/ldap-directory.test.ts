import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLog } from '@rfo/foundation';
import type { TestDirectory } from '@rfo/test-directory';
import { Client } from 'ldapts';
import {
  entry,
  group,
  groupDn,
  type Open,
  open,
  password,
  person,
  personDn,
  settingsFor,
  startDirectory,
  suffix,
  unit,
} from './ldap.testing.ts';

const many = 620;
const numbers = Array.from({ length: many }, (_, at) => at + 1);

let directory: TestDirectory;
let ours: Open;

before(async () => {
  directory = await startDirectory(
    [
      person('ada', { displayName: 'Ada Lovelace', sn: 'Lovelace', cn: 'Ada Lovelace' }),
      person('Jürgen', { sn: 'Groß' }),
      person('weird*)(uid=ada', {}),
      person('many'),
      person('alias', { uid: ['alias', 'another'] }),
      person('locked', { pwdAccountLockedTime: '000001010000Z' }),
      person('expired', { objectClass: ['inetOrgPerson', 'shadowAccount'], shadowExpire: '1' }),
      person('later', { objectClass: ['inetOrgPerson', 'shadowAccount'], shadowExpire: '90000' }),
      person('keyless', { userPassword: [] }),
      unit('twins', `ou=people,${suffix}`),
      person('twin'),
      entry(`uid=twin,ou=twins,ou=people,${suffix}`, {
        objectClass: 'inetOrgPerson',
        uid: 'twin',
        cn: 't',
        sn: 't',
        userPassword: password('twin'),
      }),
      unit('elsewhere'),
      person('stranger', {}, `ou=elsewhere,${suffix}`),
      group('developers', [personDn('ada')]),
      group('engineers', [groupDn('developers')]),
      group('staff', [groupDn('engineers'), groupDn('circle')]),
      group('circle', [groupDn('staff')]),
      group('admins', [personDn('Jürgen')]),
      group('a, b + "c"', [personDn('Jürgen')]),
      unit('mine', `ou=groups,${suffix}`),
      group('admins', [personDn('ada')], `ou=mine,ou=groups,${suffix}`),
      ...numbers.map((number) => group(`g${number}`, [personDn('many')])),
      entry(`cn=unix,ou=groups,${suffix}`, { objectClass: 'posixGroup', cn: 'unix', gidNumber: '100', memberUid: ['ada', 'many'] }),
      group('outside', [personDn('ada')], `ou=elsewhere,${suffix}`),
    ],
    { sizeLimit: 100 },
  );
  ours = open(settingsFor(directory));
});
after(async () => {
  await ours?.end();
  await directory?.stop();
});

describe('signing in', () => {
  it('gives who somebody is, with the groups that he is in through others, however they go in circles', async () => {
    const ada = await ours.signIn('ada');
    assert.match(ada?.id ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.deepEqual(
      { ...ada, id: '', groups: ada?.groups.map(({ name }) => name) },
      {
        id: '',
        username: 'ada',
        displayName: 'Ada Lovelace',
        email: 'ada@example.org',
        groups: ['circle', 'developers', 'engineers', 'staff'],
      },
    );
    for (const { id } of ada?.groups ?? []) assert.match(id, /^[0-9a-f-]{36}$/);
  });

  it('does not mind the case of a name, and calls the user as the directory does', async () => {
    assert.equal((await ours.signIn('ADA', password('ada')))?.username, 'ada');
    assert.equal((await ours.signIn('jürgen', password('Jürgen')))?.username, 'Jürgen');
    assert.equal((await ours.signIn('Another', password('alias')))?.username, 'alias');
  });

  it('refuses a wrong password, an unknown name and a user elsewhere', async () => {
    assert.equal(await ours.signIn('ada', password('many')), undefined);
    assert.equal(await ours.signIn('nobody'), undefined);
    assert.equal(await ours.signIn('stranger'), undefined);
    assert.equal(await ours.signIn('keyless', 'anything'), undefined);
  });

  it('never binds without a password, which the directory would take for an anonymous sign-in', async () => {
    await ours.search('marker-before', { limit: 1, signal: ours.signal });
    for (const name of ['ada', 'nobody', '', ' ']) assert.equal(await ours.signIn(name, ''), undefined);
    for (const name of ['', ' ']) assert.equal(await ours.signIn(name, 'something'), undefined);
    await ours.search('marker-after', { limit: 1, signal: ours.signal });
    await directory.said('marker-after');
    const from = directory.lines.findIndex((line) => line.includes('marker-before'));
    const asked = directory.lines.slice(from).filter((line) => / (BIND|SRCH base)/.test(line) && !line.includes('marker'));
    assert.deepEqual(asked, []);
  });

  it('tries a password for a name that nobody has as well', async () => {
    assert.equal(await ours.signIn('nobody'), undefined);
    await directory.said('BIND dn="cn=nobody-here,ou=people,');
  });

  it('takes what is typed for a name and never for a part of a filter', async () => {
    for (const name of ['*', 'ad*', 'ada)(uid=*', '*)(|(uid=*', 'ada\\2a', '\\61da', 'a\0da', 'ada)(objectClass=*', '(uid=ada)', 'uid=ada'])
      assert.equal(await ours.signIn(name, password('ada')), undefined, name);
    assert.equal((await ours.signIn('weird*)(uid=ada'))?.username, 'weird*)(uid=ada');
  });

  it('refuses spellings that only the directory takes for the same name, as their failures would not be counted for it', async () => {
    for (const name of ['a\u00ADda', 'ad\u200Ba', 'a\uFE0Fda'])
      assert.equal(await ours.signIn(name, password('ada')), undefined, JSON.stringify(name));
  });

  it('refuses a name that two have, and tells the log', async () => {
    const lines: string[] = [];
    const told = open(settingsFor(directory), { log: createLog({ write: (line) => lines.push(line) }) });
    try {
      assert.equal(await told.signIn('twin'), undefined);
      assert.match(lines.join(''), /more than one user/);
      assert.ok(!lines.join('').includes(password('twin')));
    } finally {
      await told.end();
    }
    const narrow = open(settingsFor(directory, { userScope: 'one' }));
    try {
      assert.equal((await narrow.signIn('twin'))?.username, 'twin');
    } finally {
      await narrow.end();
    }
  });

  it('refuses an account out of use, whatever its password', async () => {
    assert.equal(await ours.signIn('locked'), undefined);
    assert.equal(await ours.signIn('expired'), undefined);
    assert.equal((await ours.signIn('later'))?.username, 'later');
  });
});

describe('groups', () => {
  it('are all found, though the directory gives no more than a hundred entries at once', async () => {
    const found = await ours.groupsOf('many');
    assert.equal(found.length, many);
    assert.ok(numbers.every((number) => found.includes(`g${number}`)));
  });

  it('are refused as a whole where the directory gives only a part', async () => {
    const small = await startDirectory([person('many'), ...numbers.slice(0, 20).map((number) => group(`g${number}`, [personDn('many')]))], {
      global: ['sizelimit size.soft=10 size.hard=10 size.prtotal=10'],
    });
    const partly = open(settingsFor(small));
    try {
      await assert.rejects(partly.signIn('many'), { code: 'ldap-too-much' });
    } finally {
      await partly.end();
      await small.stop();
    }
  });

  it('of the same name are left out both, and the log tells', async () => {
    const lines: string[] = [];
    const told = open(settingsFor(directory), { log: createLog({ write: (line) => lines.push(line) }) });
    try {
      assert.deepEqual(
        (await told.signIn('jürgen', password('Jürgen')))?.groups.map(({ name }) => name),
        ['a, b + "c"'],
      );
      assert.match(lines.join(''), /another has the same name/);
    } finally {
      await told.end();
    }
    const mine = open(settingsFor(directory, { groupScope: 'one' }));
    try {
      assert.deepEqual(
        (await mine.signIn('Jürgen', password('Jürgen')))?.groups.map(({ name }) => name),
        ['a, b + "c"', 'admins'],
      );
    } finally {
      await mine.end();
    }
  });

  it('are found by memberOf as the directory keeps it, those in each other too, and only below their base', async () => {
    const keeping = await startDirectory([person('ada'), unit('elsewhere')]);
    const [deep, flat] = (['walk', 'none'] as const).map((nested) => open(settingsFor(keeping, { membership: 'memberOf', nested })));
    const client = new Client({ url: `ldap://127.0.0.1:${keeping.port}` });
    try {
      await client.bind(keeping.root.dn, keeping.root.password);
      const add = (dn: string, member: string): Promise<void> => client.add(dn, { objectClass: 'groupOfNames', member });
      await add(groupDn('developers'), personDn('ada'));
      await add(groupDn('a, b + "c"'), groupDn('developers'));
      await add(groupDn('staff'), groupDn('a, b + "c"'));
      await add(`cn=outside,ou=elsewhere,${suffix}`, personDn('ada'));
      assert.deepEqual(await deep?.groupsOf('ada'), ['a, b + "c"', 'developers', 'staff']);
      assert.deepEqual(await flat?.groupsOf('ada'), ['developers']);
    } finally {
      await Promise.all([deep?.end(), flat?.end(), client.unbind()]);
      await keeping.stop();
    }
  });

  it('are found by memberUid, and not at all without a base', async () => {
    const unix = open(settingsFor(directory, { membership: 'memberUid' }));
    const { groupBase: _, ...without } = settingsFor(directory);
    const none = open(without);
    try {
      assert.deepEqual(await unix.groupsOf('ada'), ['unix']);
      assert.deepEqual(await none.groupsOf('ada'), []);
    } finally {
      await Promise.all([unix.end(), none.end()]);
    }
  });
});

describe('asking again', () => {
  it('finds somebody by what never changes, and nobody by anything else', async () => {
    const ada = await ours.signIn('ada');
    assert.deepEqual(await ours.refresh(ada?.id ?? '', ours.signal), ada);
    for (const id of ['', '*', 'ada', '00000000-0000-0000-0000-000000000000', '*)(uid=*'])
      assert.equal(await ours.refresh(id, ours.signal), undefined, id);
  });

  it('finds nobody whose account is out of use or who is no longer where users are', async () => {
    const all = open(settingsFor(directory, { userBase: suffix }));
    const clock = { now: () => 90_001 * 86_400_000 };
    const later = open(settingsFor(directory), { clock });
    try {
      const stranger = await all.signIn('stranger');
      assert.equal(stranger?.username, 'stranger');
      assert.equal(await ours.refresh(stranger?.id ?? '', ours.signal), undefined);
      const expiring = await ours.signIn('later');
      assert.equal(await later.refresh(expiring?.id ?? '', later.signal), undefined);
    } finally {
      await Promise.all([all.end(), later.end()]);
    }
  });
});

describe('searching', () => {
  it('finds users and groups by how their names begin', async () => {
    const found = await ours.search('LOVE', { limit: 10, signal: ours.signal });
    assert.deepEqual(
      found.map(({ kind, name, displayName }) => [kind, name, displayName]),
      [['User', 'ada', 'Ada Lovelace']],
    );
    const groups = await ours.search('eng', { limit: 10, signal: ours.signal });
    assert.deepEqual(
      groups.map(({ kind, name }) => [kind, name]),
      [['Group', 'engineers']],
    );
  });

  it('gives no more than was asked for, and takes nothing for a pattern', async () => {
    const found = await ours.search('g', { limit: 7, signal: ours.signal });
    assert.equal(found.filter(({ kind }) => kind === 'Group').length, 7);
    for (const text of ['*', ' ', '', 'a*', '*)(uid=*'])
      assert.deepEqual(await ours.search(text, { limit: 7, signal: ours.signal }), [], text);
  });
});
