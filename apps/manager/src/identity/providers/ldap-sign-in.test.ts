import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Life } from '@rfo/foundation';
import type { TestDirectory } from '@rfo/test-directory';
import { Attribute, Change, Client } from 'ldapts';
import { type Lab, type Replica, startLab, until } from '../identity.testing.ts';
import { group, groupDn, password, person, personDn, searcher, settingsFor, startDirectory } from './ldap/ldap.testing.ts';
import type { LdapSettings } from './ldap/plan.ts';

let lab: Lab;
let directory: TestDirectory;
let replica: Replica;
const life = new Life();

before(async () => {
  directory = await startDirectory([
    ...['ada', 'bob', 'eve', 'admin'].map((name) => person(name)),
    group('developers', ['ada', 'bob', 'admin'].map(personDn)),
    group('operators', [personDn('bob')]),
  ]);
  lab = await startLab();
  replica = await lab.open();
  await makeProvider('corp', settingsFor(directory), ['developers']);
  void replica.identity.lead(life);
});
after(async () => {
  await life.end();
  await replica?.end();
  await Promise.all([lab?.stop(), directory?.stop()]);
});

async function makeProvider(name: string, ldap: LdapSettings, allowedGroups: readonly string[]): Promise<void> {
  await replica.identity.providers.setOfProvider(name, searcher.password);
  const spec = { type: 'ldap', displayName: name, enabled: true, allowedGroups, ldap } as const;
  await replica.objects.authProviders.create({ metadata: { name }, spec });
}

let address = 0;
const signIn = (username: string, given = password(username), provider = 'corp') =>
  replica.identity.signIn({ username, password: given, provider, address: `10.1.0.${++address}` });

it('somebody of the directory becomes a user at the first sign-in and stays the same one, with the groups that he has there', async () => {
  const first = await signIn('ada');
  assert.deepEqual(first.caller.groups, ['corp:developers']);
  assert.equal(first.caller.provider, 'corp');
  const again = await signIn('ADA', password('ada'));
  assert.equal(again.caller.user, first.caller.user);
  const bearer = { authorization: `Bearer ${again.credential}` };
  assert.deepEqual((await replica.identity.authenticate(bearer)).groups, ['corp:developers']);
});

it('who is not among those who may sign in is told so, and no user is made of him', async () => {
  await assert.rejects(signIn('eve'), { code: 'provider-not-allowed' });
  assert.deepEqual(replica.objects.users.by('username', 'eve'), []);
  await assert.rejects(signIn('eve', 'a wrong password'), { code: 'credentials-refused' });
});

it('a name of the directory is not an account of the manager by the same name', async () => {
  const local = await replica.identity.createUser({ username: 'admin', password: 'correct horse battery', mustChange: false });
  const outside = await signIn('admin');
  assert.notEqual(outside.caller.user, local.metadata.name);
  assert.equal(outside.caller.username, 'admin@corp');
  await assert.rejects(signIn('admin', password('admin'), 'local'), { code: 'credentials-refused' });
  await assert.rejects(signIn('admin', 'correct horse battery'), { code: 'credentials-refused' });
});

it('who has left a group there has lost it here, and who may no longer sign in has lost his session', async () => {
  const { users, authProviders } = replica.objects;
  const { credential, caller } = await signIn('bob');
  assert.deepEqual(caller.groups, ['corp:developers', 'corp:operators']);
  const bearer = { authorization: `Bearer ${credential}` };
  await leave('operators', 'bob', 'ada');
  // A change of who may sign in has everybody asked about at once.
  await authProviders.patch('corp', { spec: { allowedUsers: ['nobody'] } });
  await until(users.onChange, () => users.get(caller.user)?.status?.outside?.corp?.groups.length === 1);
  assert.deepEqual((await replica.identity.authenticate(bearer)).groups, ['corp:developers']);
  await leave('developers', 'bob');
  await authProviders.patch('corp', { spec: { allowedUsers: [] } });
  await until(users.onChange, () => users.get(caller.user)?.status?.outside?.corp?.gone === true);
  await assert.rejects(replica.identity.authenticate(bearer));
});

it('a directory that does not answer is no wrong password, and takes nobody out', async () => {
  const { credential } = await signIn('ada');
  await directory.kill();
  try {
    // More often than a wrong password may be tried.
    for (let time = 0; time < 8; time++) await assert.rejects(signIn('ada'), { code: 'provider-unreachable' });
    assert.equal((await replica.identity.authenticate({ authorization: `Bearer ${credential}` })).username, 'ada');
  } finally {
    await directory.start();
  }
  assert.equal((await signIn('ada')).caller.username, 'ada');
});

it('settings of one directory that are of no use do not keep anybody from another', async () => {
  await makeProvider('broken', { ...settingsFor(directory), userFilter: '(((' }, ['developers']);
  const listed = new Set(replica.identity.providers.list().map(({ name }) => name));
  assert.ok(listed.has('corp'));
  await assert.rejects(signIn('ada', password('ada'), 'broken'), { code: 'provider-unreachable' });
  // The reason is for the log: whoever signs in learns nothing of the settings.
  assert.ok(replica.lines.some((line) => line.includes('userFilter (((')));
  assert.equal((await signIn('ada')).caller.username, 'ada');
});

it('no password stands in the log, in what the audit is told, or in an object', async () => {
  const { items } = await lab.cluster.client.list({ apiVersion: 'rfo.io/v1alpha1', kind: 'User' });
  const { items: providers } = await lab.cluster.client.list({ apiVersion: 'rfo.io/v1alpha1', kind: 'AuthProvider' });
  const told = JSON.stringify([replica.lines, replica.events, items, providers]);
  for (const secret of [searcher.password, ...['ada', 'bob', 'eve', 'admin'].map(password), 'a wrong password'])
    assert.ok(!told.includes(secret), secret);
});

/** Somebody else takes his place, for a group needs a member. */
async function leave(name: string, uid: string, instead?: string): Promise<void> {
  const client = new Client({ url: `ldap://127.0.0.1:${directory.port}` });
  await client.bind(directory.root.dn, directory.root.password);
  const change = (operation: 'add' | 'delete', dn: string): Change =>
    new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) });
  await client.modify(groupDn(name), [
    ...(instead === undefined ? [] : [change('add', personDn(instead))]),
    change('delete', personDn(uid)),
  ]);
  await client.unbind();
}
