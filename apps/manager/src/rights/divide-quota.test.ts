import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { divideQuota, sumAmounts } from './divide-quota.ts';
import { parseQuantity, renderQuantity } from './quantity.ts';

describe('a quota over several namespaces', () => {
  it('is divided evenly, what is left over going to the first', () => {
    assert.deepEqual(divideQuota({ 'pods': '10', 'limits.cpu': '1', 'services.loadbalancers': '1', 'requests.memory': '1Gi' }, 3), [
      { 'pods': '4', 'limits.cpu': '334m', 'services.loadbalancers': '1', 'requests.memory': '357913942' },
      { 'pods': '3', 'limits.cpu': '333m', 'services.loadbalancers': '0', 'requests.memory': '357913941' },
      { 'pods': '3', 'limits.cpu': '333m', 'services.loadbalancers': '0', 'requests.memory': '357913941' },
    ]);
    assert.deepEqual(divideQuota({ pods: '10' }, 0), []);
  });

  it('has parts that are exactly the whole together', () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 10n ** 15n),
        fc.integer({ min: 1, max: 200 }),
        fc.constantFrom('pods', 'limits.cpu', 'cpu'),
        (amount, count, name) => {
          const whole = name === 'pods' ? `${amount}` : `${amount}m`;
          const parts = divideQuota({ [name]: whole }, count);
          assert.equal(parts.length, count);
          assert.equal(parseQuantity(sumAmounts(parts)[name] ?? ''), parseQuantity(whole));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('quantities', () => {
  it('are read in all their forms and refused in others', () => {
    const equal: readonly (readonly [string, string])[] = [
      ['0.5', '500m'],
      ['1e3', '1k'],
      ['1Ki', '1024'],
      ['1.5Gi', '1536Mi'],
      ['1E', '1000P'],
      ['.5', '500m'],
      ['2.', '2'],
      ['1E3', '1000'],
      ['100n', '0.1u'],
    ];
    for (const [one, other] of equal) assert.equal(parseQuantity(one), parseQuantity(other), `${one} = ${other}`);
    for (const text of ['', '.', 'm', '1 Gi', '1gi', '1e', '--1', '0x10', '1,5', 'Infinity'])
      assert.equal(parseQuantity(text), undefined, text);
  });

  it('come back as they were written', () => {
    fc.assert(fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), (amount) => assert.equal(parseQuantity(renderQuantity(amount)), amount)));
  });
});
