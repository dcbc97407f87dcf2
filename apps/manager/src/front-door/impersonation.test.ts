import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Caller } from '../identity/caller.ts';
import { impersonationHeaders, neededFor, personOf, readWanted, reservedIn } from './impersonation.ts';

const caller: Caller = {
  ...{ user: 'u-1', username: 'zoë@example.com', groups: [], provider: 'local' },
  token: { id: 't-1', kind: 'api', readOnly: false },
};

it('names the caller to the cluster, each group by a header of its own', () => {
  assert.deepEqual(impersonationHeaders(personOf(caller, ['system:authenticated', 'rfo:project:a:member']), caller), {
    'impersonate-user': ['rfo:u-1'],
    'impersonate-group': ['system:authenticated', 'rfo:project:a:member'],
    'impersonate-extra-rfo.io%2Fusername': ['zo%C3%AB@example.com'],
    'impersonate-extra-rfo.io%2Ftoken-id': ['t-1'],
  });
});

it('reads whom the client asks to be', () => {
  assert.equal(readWanted(['Accept', '*/*']), undefined);
  const wanted = readWanted([
    'Impersonate-User',
    'bob',
    'impersonate-group',
    'a',
    'IMPERSONATE-GROUP',
    'b',
    'Impersonate-Uid',
    '7',
    'Impersonate-Extra-Example.com%2Fx',
    'y',
  ]);
  assert.deepEqual(
    { ...wanted, extra: { ...wanted?.extra } },
    { user: 'bob', groups: ['a', 'b'], uid: '7', extra: { 'example.com/x': ['y'] } },
  );
});

const invalid: readonly string[][] = [
  ['Impersonate-Group', 'a'],
  ['Impersonate-User', ''],
  ['Impersonate-User', 'a', 'Impersonate-User', 'b'],
  ['Impersonate-User', 'a', 'Impersonate-Uid', '1', 'Impersonate-Uid', '2'],
  ['Impersonate-User', 'a', 'Impersonate-Something', 'b'],
  ['Impersonate-User', 'a', 'Impersonate-Extra-', 'b'],
  ['Impersonate-User', 'a', 'Impersonate-Extra-%zz', 'b'],
  ['Impersonate-User', 'jos\u00e9'],
  ['Impersonate-User', 'a', ...Array.from({ length: 70 }, (_, at) => ['Impersonate-Group', `g${at}`]).flat()],
];
for (const headers of invalid) {
  it(`refuses ${headers.join(' ').slice(0, 70)}`, () => void assert.throws(() => readWanted(headers), { code: 'impersonation-invalid' }));
}

it('asks for each right that the API server would ask for', () => {
  const wanted = { user: 'system:serviceaccount:ns:name', groups: ['a', 'b'], uid: '7', extra: { k: ['v', 'w'] } };
  assert.deepEqual(neededFor(wanted), [
    { verb: 'impersonate', resource: 'serviceaccounts', namespace: 'ns', name: 'name' },
    { verb: 'impersonate', resource: 'groups', name: 'a' },
    { verb: 'impersonate', resource: 'groups', name: 'b' },
    { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'uids', name: '7' },
    { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'userextras', subresource: 'k', name: 'v' },
    { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'userextras', subresource: 'k', name: 'w' },
  ]);
  assert.deepEqual(neededFor({ user: 'system:serviceaccount:ns:a:b', groups: [], extra: {} })[0]?.resource, 'users');
});

it('keeps to administrators what would make one', () => {
  const person = (user: string, ...groups: string[]) => ({ user, groups, extra: {} });
  for (const wanted of [person('rfo:u-2'), person('bob', 'x', 'system:masters'), person('bob', 'rfo:role:administrator')]) {
    assert.notEqual(reservedIn(wanted, { administrator: false }), undefined);
    assert.equal(reservedIn(wanted, { administrator: true }), undefined);
  }
  assert.equal(reservedIn(person('bob', 'developers'), { administrator: false }), undefined);
  // Who it really was is nobody's to choose.
  assert.notEqual(reservedIn({ ...person('bob'), extra: { 'rfo.io/username': ['alice'] } }, { administrator: true }), undefined);
});
