import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Lease } from '@rfo/kube';
import { freeIn, renderLease } from './lease.ts';
import { foreignHolder, isSet, parseRecord, renderAnnouncement, renderDrop, renderHold, renderRecord } from './render-address.ts';
import { announcementAt, deadline, lifetimeSeconds, usualTiming } from './timing.ts';

const address = { ip: '192.0.2.100', iface: 'eth0' };

describe('the address of ip(8)', () => {
  test('is set for as long as the Lease lasts', () => {
    assert.equal(renderHold(address, 3).join(' '), 'address replace 192.0.2.100 peer 192.0.0.8/32 dev eth0 valid_lft 3 preferred_lft 0');
    assert.equal(renderDrop(address).join(' '), 'address delete 192.0.2.100 peer 192.0.0.8/32 dev eth0');
  });

  test('is announced by a probe of its far end at the broadcast address', () => {
    assert.equal(
      renderAnnouncement(address),
      'neighbour replace 192.0.0.8 lladdr ff:ff:ff:ff:ff:ff dev eth0 nud stale\nneighbour replace 192.0.0.8 lladdr ff:ff:ff:ff:ff:ff dev eth0 nud probe\n',
    );
  });

  test("is told from the host's own, as ip(8) shows both", () => {
    const shown = (info: object): string => JSON.stringify([{}, { ifname: 'eth0', addr_info: [{ local: '192.0.2.11' }, info] }]);
    const ours = shown({ local: '192.0.2.100', address: '192.0.0.8', prefixlen: 32 });
    const own = shown({ local: '192.0.2.100', prefixlen: 24 });
    assert.deepEqual([isSet(ours, address), foreignHolder(ours, address.ip)], [true, undefined]);
    assert.deepEqual([isSet(own, address), foreignHolder(own, address.ip)], [false, 'eth0']);
    assert.deepEqual(
      [isSet(ours, { ...address, iface: 'eth1' }), isSet('', address), foreignHolder('', address.ip)],
      [false, false, undefined],
    );
  });

  test('is recorded in one line', () => {
    assert.equal(renderRecord(address), '{"address":"192.0.2.100","interface":"eth0"}\n');
    assert.deepEqual(parseRecord(renderRecord(address)), address);
    assert.equal(parseRecord('{"address":1}'), undefined);
  });
});

describe('the timing', () => {
  test('lets the kernel remove the address before another may take it', () => {
    for (let elapsed = 0; elapsed < 6_000; elapsed += 10) {
      const seconds = lifetimeSeconds(usualTiming, elapsed);
      if (seconds > 0) assert.ok(elapsed + seconds * 1000 + usualTiming.kernelLate <= usualTiming.duration, `${elapsed} ms: ${seconds} s`);
    }
    assert.deepEqual(
      [0, 500, 501, 1500, 2500, 2501, 60_000].map((elapsed) => lifetimeSeconds(usualTiming, elapsed)),
      [3, 3, 2, 2, 1, 0, 0],
    );
  });

  test('renews before the kernel removes it, with time for a second attempt, and gives up before another may take it', () => {
    const { renewEvery, retryEvery, requestWithin, duration } = usualTiming;
    assert.ok(renewEvery + retryEvery < lifetimeSeconds(usualTiming, 0) * 1000);
    assert.ok(deadline(usualTiming) + requestWithin <= duration);
  });

  test('announces a new holder often, and then each minute', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5].map(announcementAt), [0, 300, 600, 1_050, 61_050, 121_050]);
  });
});

describe('the Lease', () => {
  const lease = (holderIdentity: string, more: object = {}): Lease => ({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'rfo-vip', namespace: 'kube-system', resourceVersion: '7' },
    spec: { holderIdentity, leaseDurationSeconds: 5, ...more },
  });

  test('is free when nobody holds it, for its holder, and for others when it has not changed for its duration', () => {
    assert.equal(freeIn({ lease: undefined, at: 1_000 }, 'a', 1_000), 0);
    assert.equal(freeIn({ lease: lease(''), at: 1_000 }, 'a', 1_000), 0);
    assert.equal(freeIn({ lease: lease('a'), at: 1_000 }, 'a', 1_000), 0);
    assert.equal(freeIn({ lease: lease('b'), at: 1_000 }, 'a', 3_000), 3_000);
    assert.equal(freeIn({ lease: lease('b', { leaseDurationSeconds: 15 }), at: 1_000 }, 'a', 6_000), 10_000);
    assert.equal(freeIn({ lease: lease('b'), at: 1_000 }, 'a', 6_000), 0);
  });

  test('is written as client-go writes it', () => {
    const now = new Date('2026-01-02T03:04:05.678Z');
    const time = '2026-01-02T03:04:05.678000Z';
    const { resourceVersion: _, ...fresh } = lease('').metadata;
    const written = (found: Lease | undefined, holder: string) => renderLease(found, { holder, duration: 5_000 }, now);
    const spec = { leaseDurationSeconds: 5, acquireTime: time, renewTime: time };
    assert.deepEqual(written(undefined, 'a'), { ...lease('a', { ...spec, leaseTransitions: 0 }), metadata: fresh });
    const earlier = { acquireTime: '2026-01-01T00:00:00.000000Z', leaseTransitions: 4 };
    assert.deepEqual(written(lease('a', earlier), 'a'), lease('a', { ...spec, ...earlier }));
    assert.deepEqual(written(lease('b', earlier), 'a'), lease('a', { ...spec, leaseTransitions: 5 }));
    assert.deepEqual(written(lease('a', earlier), ''), lease('', { ...spec, ...earlier }));
  });
});
