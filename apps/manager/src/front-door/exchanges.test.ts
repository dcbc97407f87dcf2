import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Life } from '@rfo/foundation';
import type { Caller } from '../identity/caller.ts';
import { createExchanges } from './exchanges.ts';

type Tell = (test: (caller: Caller) => boolean) => void;

function setUp() {
  let revoke: Tell = () => undefined;
  let change: Tell = () => undefined;
  const revoked = new Set<string>();
  const listen = (keep: (tell: Tell) => void) => (listener: Tell) => {
    keep(listener);
    return () => keep(() => undefined);
  };
  const identity = {
    onRevoked: listen((tell) => {
      revoke = tell;
    }),
    isRevoked: ({ user }: Caller) => revoked.has(user),
  };
  const rights = {
    onChange: listen((tell) => {
      change = tell;
    }),
  };
  const life = new Life();
  const exchanges = createExchanges({ identity, rights }, life);
  return {
    exchanges,
    life,
    revoked,
    revoke: (user: string) => revoke((one) => one.user === user),
    change: (user: string) => change((one) => one.user === user),
  };
}

const caller = (user: string): Caller => ({
  user,
  username: user,
  groups: [],
  token: { id: user, kind: 'api', readOnly: false },
  provider: 'local',
});
const codeOf = ({ reason }: AbortSignal): unknown => reason?.code;

it('ends what a caller has open when he is revoked or may have lost a right, and nothing of others', () => {
  const { exchanges, revoke, change } = setUp();
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => exchanges.open(caller(name)));
  revoke('alice');
  change('bob');
  assert.deepEqual(
    [alice, bob, carol].map((each) => each && codeOf(each.signal)),
    ['access-withdrawn', 'access-withdrawn', undefined],
  );
});

it('ends at once what was revoked between the authentication and now', () => {
  const { exchanges, revoked } = setUp();
  revoked.add('alice');
  assert.equal(codeOf(exchanges.open(caller('alice')).signal), 'access-withdrawn');
});

it('forgets what is over', () => {
  const { exchanges, revoke } = setUp();
  const one = exchanges.open(caller('alice'));
  one.close();
  revoke('alice');
  assert.equal(one.signal.aborted, false);
  assert.equal(exchanges.count(), 0);
});

it('ends everything with its life, and waits until it is over', async () => {
  const { exchanges, life } = setUp();
  const one = exchanges.open(caller('alice'));
  const ending = life.end();
  assert.equal(codeOf(one.signal), 'manager-stopping');
  let over = false;
  void ending.then(() => {
    over = true;
  });
  await new Promise(setImmediate);
  assert.equal(over, false);
  one.close();
  await ending;
  assert.equal(codeOf(exchanges.open(caller('bob')).signal), 'manager-stopping');
});

it('one user has so many open at a time, with all his tokens together, and keeps nobody else out', () => {
  const { exchanges } = setUp();
  const open = Array.from({ length: 500 }, () => exchanges.open(caller('alice')));
  const another = { ...caller('alice'), token: { ...caller('alice').token, id: 'another' } };
  assert.throws(() => exchanges.open(another), { code: 'too-many-open', retryAfter: 1 });
  exchanges.open(caller('bob')).close();
  const [first] = open;
  first?.close();
  // Whoever ends twice ends once.
  first?.close();
  exchanges.open(another).close();
  exchanges.open(another);
  assert.throws(() => exchanges.open(caller('alice')), { code: 'too-many-open' });
});
