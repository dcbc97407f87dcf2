import assert from 'node:assert/strict';
import { it } from 'node:test';
import { dnKey, isWithin } from './dn.ts';

it('two ways to write a name of an entry are the same, and two names are not', () => {
  const same = [
    ['CN=Ada,OU=People,DC=example', 'cn=ada, ou=people, dc=example'],
    ['cn=a\\2Cb,dc=x', 'cn=a\\,b,dc=x'],
    ['cn=J\\c3\\bcrgen,dc=x', 'cn=jürgen,dc=x'],
    ['cn=a  b,dc=x', 'cn=a b,dc=x'],
  ] as const;
  for (const [one, other] of same) assert.equal(dnKey(one), dnKey(other));
  const different = [
    ['cn=a\\,dc=x,dc=y', 'cn=a,dc=x,dc=y'],
    ['cn=a,dc=x', 'uid=a,dc=x'],
    ['cn=a\\+b=c,dc=x', 'cn=a+b=c,dc=x'],
  ] as const;
  for (const [one, other] of different) assert.notEqual(dnKey(one), dnKey(other));
});

it('an entry is within a base only if whole parts of its name say so', () => {
  const base = 'ou=groups,dc=example';
  assert.ok(isWithin('cn=a,OU=groups,dc=example', { base, scope: 'one' }));
  assert.ok(isWithin('cn=a,ou=b,ou=groups,dc=example', { base, scope: 'sub' }));
  assert.ok(!isWithin('cn=a,ou=b,ou=groups,dc=example', { base, scope: 'one' }));
  assert.ok(!isWithin('cn=a\\,ou=groups,dc=example', { base, scope: 'sub' }));
  assert.ok(!isWithin('cn=a,ou=mygroups,dc=example', { base, scope: 'sub' }));
  assert.ok(!isWithin('cn=a\\,ou=groups,dc=example', { base, scope: 'one' }));
});
