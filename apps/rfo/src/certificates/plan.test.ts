import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { defaultRenewal, leafLifetimeOf, validity } from './lifetime.ts';
import { day, start } from './node.testing.ts';
import { type CertificateState, dueReason, planRenewal, renewAt } from './plan.ts';

const state = (name: CertificateState['name'], from: number, days: number): CertificateState => ({
  ...{ name, kind: name.endsWith('-ca') ? 'authority' : 'leaf', file: '', subject: '', usages: '' },
  ...{ notBefore: start + from * day, notAfter: start + (from + days) * day },
});

describe('the plan of renewals', () => {
  it('takes leaves with a third of their life left and names the next one', () => {
    const states = [
      state('server-ca', 0, 3650),
      state('client-admin', 0, 90),
      state('client-kubelet', -10, 90),
      state('etcd/client', -60, 90),
    ];
    const { due, nextAt } = planRenewal(states, { now: start, renewal: defaultRenewal });
    assert.deepEqual(
      due.map(({ name }) => name),
      ['etcd/client'],
    );
    assert.equal(nextAt, start + 50 * day);
  });

  it('leaves CAs alone until their last moment', () => {
    const states = [state('server-ca', 0, 3650)];
    assert.deepEqual(planRenewal(states, { now: start + 3649 * day, renewal: defaultRenewal }), { due: [], nextAt: start + 3650 * day });
    assert.equal(planRenewal(states, { now: start + 3650 * day, renewal: defaultRenewal }).due.length, 1);
  });

  it('never waits past the moment at which something is due', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (from, days, renewal) => {
        const one = state('client-admin', -from, days);
        const { due, nextAt } = planRenewal([one], { now: start, renewal });
        if (due.length === 1) return assert.equal(nextAt, Number.POSITIVE_INFINITY);
        assert.ok(nextAt > start && nextAt <= one.notAfter);
        assert.ok(dueReason(one, { now: nextAt, renewal }));
      }),
    );
  });

  it('never finds a new certificate due', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 3650 * day }), fc.double({ min: 0, max: 0.9, noNaN: true }), (lifetime, renewal) => {
        const dates = { kind: 'leaf', ...validity(start, lifetime) } as const;
        assert.equal(dueReason(dates, { now: start, renewal }), undefined);
        assert.ok(renewAt(dates, renewal) > start);
        assert.ok(dates.notBefore >= start - 300_000 && dates.notBefore < start);
      }),
    );
  });
});

describe('the lifetime of leaves', () => {
  it('is a year unless the environment says otherwise, in days or parts of one', () => {
    assert.equal(leafLifetimeOf({}), 365 * day);
    assert.equal(leafLifetimeOf({ RFO_CERT_EXPIRATION_DAYS: '' }), 365 * day);
    assert.equal(leafLifetimeOf({ CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS: '30' }), 30 * day);
    assert.equal(leafLifetimeOf({ CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS: '30', RFO_CERT_EXPIRATION_DAYS: '0.001' }), 86_400);
  });

  it('is refused when it is none', () => {
    for (const text of ['x', '0', '-1', '3651', 'NaN', 'Infinity'])
      assert.throws(() => leafLifetimeOf({ RFO_CERT_EXPIRATION_DAYS: text }), {
        code: 'config-invalid',
        message: new RegExp(`"${text}" is no number`),
      });
  });
});
