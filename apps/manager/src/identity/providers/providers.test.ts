/** What is decided about people from outside, without asking anybody. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { heldGroups } from '../held-groups.ts';
import { checkUsername } from '../username.ts';
import { addressesOf } from './github.ts';
import { isAllowed } from './is-allowed.ts';
import { outsideOf } from './oidc.ts';
import type { Outside } from './outside.ts';
import { candidates } from './outside-users.ts';

const ada: Outside = { id: 's-1', username: 'Ada', groups: [{ id: 'g-1', name: 'builders' }] };

describe('somebody from outside', () => {
  it('may sign in when he or one of his groups is named, and nobody may where nobody is', () => {
    const nobody = { allowEverybody: false, allowedUsers: [], allowedGroups: [] };
    assert.equal(isAllowed(nobody, ada), false);
    for (const rules of [
      { allowEverybody: true },
      { allowedUsers: ['Ada'] },
      { allowedUsers: ['s-1'] },
      { allowedGroups: ['builders'] },
      { allowedGroups: ['g-1'] },
    ])
      assert.equal(isAllowed({ ...nobody, ...rules }, ada), true, JSON.stringify(rules));
    for (const rules of [{ allowedUsers: ['builders', 'ada', ''] }, { allowedGroups: ['Ada', 'builder', ''] }])
      assert.equal(isAllowed({ ...nobody, ...rules }, ada), false, JSON.stringify(rules));
  });

  it('gets a user name that can be had here, however he is called there', () => {
    for (const [username, wanted] of [
      ['Ada', 'ada'],
      ['Ada Lovelace', 'ada-lovelace'],
      ['DOMAIN\\ada', 'domain-ada'],
      ['_ada:x', 'ada-x'],
      ['Ada@Example.org', 'ada@example.org'],
    ] as const)
      assert.equal(candidates({ username, id: 's-1' }, 'corp')[0], wanted);
    for (const username of ['', '///', 'é'.repeat(200), 'a'.repeat(64), '\u0000', '日本語']) {
      const names = candidates({ username, id: 's-1' }, 'a-provider-of-quite-a-long-name');
      assert.deepEqual(names.map(checkUsername), names);
      assert.equal(new Set(names).size, names.length);
    }
  });

  it('is in groups that bear the name of the provider, of that by which he came alone', () => {
    const outside = {
      corp: { groups: ['builders', 'hub:acme'], checkedAt: '' },
      hub: { groups: ['acme'], checkedAt: '' },
      old: { groups: ['everything'], checkedAt: '', gone: true },
    };
    const user = { spec: { groups: ['own'] }, status: { outside } };
    assert.deepEqual(heldGroups(user, 'local'), ['own']);
    assert.deepEqual(heldGroups(user, 'corp'), ['own', 'corp:builders', 'corp:hub:acme']);
    assert.deepEqual(heldGroups(user, 'old'), ['own']);
    assert.deepEqual(heldGroups(user), ['own', 'corp:builders', 'corp:hub:acme', 'hub:acme']);
  });
});

describe('what an OpenID provider claims', () => {
  const claims = { usernameClaim: 'preferred_username', groupsClaim: 'groups' };

  it('is read by the names of the settings, and what is not text is no group', () => {
    const said = { preferred_username: 'ada', name: 'Ada', email: 'ada@example.org', groups: ['one', 2, null, '', 'one', 'two'] };
    assert.deepEqual(outsideOf(said, 's-1', claims), {
      ...{ id: 's-1', username: 'ada', displayName: 'Ada', email: 'ada@example.org' },
      groups: [
        { id: 'one', name: 'one' },
        { id: 'two', name: 'two' },
      ],
    });
    assert.deepEqual(outsideOf({ groups: 'alone' }, 's-1', claims).groups, [{ id: 'alone', name: 'alone' }]);
  });

  it('counts no mail address that was not verified', () => {
    const outside = outsideOf({ email: 'boss@example.org', email_verified: false }, 's-1', claims);
    assert.deepEqual([outside.username, outside.email], ['s-1', undefined]);
  });
});

it('the API of GitHub stands elsewhere, and that of GitHub Enterprise below its address', () => {
  assert.deepEqual(addressesOf({ url: 'https://github.com' }), { web: 'https://github.com', api: 'https://api.github.com' });
  assert.equal(addressesOf({ url: 'https://git.example.org/' }).api, 'https://git.example.org/api/v3');
  assert.equal(addressesOf({ url: 'https://acme.ghe.com', apiUrl: 'https://api.acme.ghe.com/' }).api, 'https://api.acme.ghe.com');
});
