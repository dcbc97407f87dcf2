import assert from 'node:assert/strict';
import { it } from 'node:test';
import { limitFailures } from './limit-failures.ts';
import { networkOf } from './network-of.ts';

const lab = (burst = 3) => {
  let now = 1_000_000;
  const limit = limitFailures({ burst, perSecond: 0.5, clock: { now: () => now } });
  const allowed = (address: string): boolean => {
    try {
      limit.check(address);
      return true;
    } catch (error) {
      const { code, retryAfter } = error as { code: string; retryAfter: number };
      assert.equal(code, 'too-many-attempts');
      assert.ok(retryAfter >= 1 && retryAfter <= 2, `${retryAfter}`);
      return false;
    }
  };
  return { limit, allowed, pass: (ms: number) => (now += ms) };
};

it('lets an address come as often as it likes until too much was wrong, and again after a while', () => {
  const { limit, allowed, pass } = lab();
  for (let count = 0; count < 1000; count++) assert.ok(allowed('192.0.2.1'));
  for (let count = 0; count < 3; count++) {
    assert.ok(allowed('192.0.2.1'));
    limit.failed('192.0.2.1');
  }
  assert.ok(!allowed('192.0.2.1'));
  assert.ok(allowed('192.0.2.2'), 'another address has to wait');
  pass(2000);
  assert.ok(allowed('192.0.2.1'));
  limit.failed('192.0.2.1');
  assert.ok(!allowed('192.0.2.1'));
});

it('lets no debt grow from what had begun before', () => {
  const { limit, allowed, pass } = lab();
  for (let count = 0; count < 1000; count++) limit.failed('192.0.2.1');
  pass(2000);
  assert.ok(allowed('192.0.2.1'));
});

it('takes a network of IPv6 for one address, and an IPv4 address in it for what it is', () => {
  const { limit, allowed } = lab(1);
  limit.failed('2001:db8::1');
  assert.ok(!allowed('2001:db8:0:0:ffff::2'));
  assert.ok(allowed('2001:db8:0:1::1'));
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1');
});

it('keeps a bounded number of addresses', () => {
  const { limit, allowed } = lab(1);
  for (let count = 0; count < 10_001; count++) limit.failed(`10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`);
  assert.ok(allowed('10.0.0.0'), 'the oldest is not forgotten');
  assert.ok(!allowed('10.0.39.16'), 'the newest is forgotten');
});
