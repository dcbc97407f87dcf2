import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Life, orAbort, silentLog } from '@rfo/foundation';
import type { EnsuredCertificate } from '../certificates/ensured.ts';
import { TestNode } from '../certificates/node.testing.ts';
import type { ExpiryEvent } from '../certificates/report.ts';
import { type CareOptions, careForNodeCertificates } from './care-for-node-certificates.ts';
import { closedAddress, day, memoryLog, startTestSupervisor, testClient } from './join.testing.ts';
import { ensureNodeCertificates, keptNodeCertificates } from './node-certificates.ts';

const common = { nodeName: 'node-2', nodePassword: '0123456789abcdef0123456789abcdef' };

/** A node that has joined, under a clock that goes on by what the monitor waits. */
async function joinedNode(life: Life) {
  const supervisor = await startTestSupervisor(life);
  const { files } = supervisor;
  const node = new TestNode();
  life.defer(() => node[Symbol.dispose]());
  const { paths } = node;
  const nodeIps = ['192.0.2.9'];
  const first = await ensureNodeCertificates({ ...common, client: testClient(life, supervisor), paths, nodeIps, now: files.now });
  const renewed: string[][] = [];
  const taken = Promise.withResolvers<void>();
  const options = (change: Partial<CareOptions> = {}): CareOptions => ({
    ...{ ...common, first, startedAlone: false, paths, life, log: silentLog, clock: files.clock },
    nodeIps: () => nodeIps,
    connect: () => testClient(life, supervisor),
    onRenewed: (items: readonly EnsuredCertificate[]) => {
      renewed.push(items.map(({ name }) => name));
      taken.resolve();
    },
    wait: (milliseconds, signal) => {
      files.now += milliseconds;
      // One turn at a time, and none any more after the first renewal.
      return renewed.length === 0 ? oneTurn() : untilEnd(signal);
    },
    ...change,
  });
  return { supervisor, files, paths, nodeIps, renewed, taken: taken.promise, options };
}

const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const untilEnd = (signal: AbortSignal): Promise<never> => orAbort(new Promise<never>(() => undefined), signal);

const leaves = ['client-kubelet', 'serving-kubelet', 'client-kube-proxy', 'client-rfo-controller'];

describe('the care for the certificates of a node', { timeout: 30_000 }, () => {
  it('renews them when they are due, and tells who has to take them', async () => {
    await using life = new Life();
    const { files, renewed, taken, options } = await joinedNode(life);
    const begin = files.now;
    files.now += 19.5 * day;
    careForNodeCertificates(options());
    await taken;
    assert.deepEqual(renewed, [leaves]);
    const days = (files.now - begin) / day;
    assert.ok(days > 19.9 && days < 20.1, `after ${days} days`);
  });

  it('tries on while no server answers, and warns of what nears its end', async () => {
    await using life = new Life();
    const { supervisor, files, renewed, taken, options } = await joinedNode(life);
    const nowhere = await closedAddress();
    const { log, lines } = memoryLog();
    const events: ExpiryEvent[][] = [];
    let attempts = 0;
    careForNodeCertificates(
      options({
        log,
        onEvents: (said) => void events.push([...said]),
        connect: () => testClient(life, supervisor, ++attempts > 3 ? {} : { addresses: [nowhere] }),
        wait: (milliseconds, signal) => {
          files.now += attempts === 0 ? 20.1 * day : milliseconds;
          return renewed.length === 0 ? oneTurn() : untilEnd(signal);
        },
      }),
    );
    await taken;
    assert.equal(attempts, 4);
    assert.equal(lines.filter((line) => /error .*cannot be looked after; trying again.*ECONNREFUSED/.test(line)).length, 3);
    assert.deepEqual(
      events.map((said) => said.map(({ reason }) => reason)),
      [['CertificateExpirationOK'], ['CertificateExpirationWarning'], ['CertificateExpirationOK']],
    );
  });

  it('looks at everything once a server answers, after a start without one', async () => {
    await using life = new Life();
    const { supervisor, files, paths, renewed, taken, options } = await joinedNode(life);
    const first = keptNodeCertificates({ nodeName: 'node-2', paths, nodeIps: ['192.0.2.10'], now: files.now });
    assert.ok(first);
    const nowhere = await closedAddress();
    let attempts = 0;
    careForNodeCertificates(
      options({
        first,
        startedAlone: true,
        nodeIps: () => ['192.0.2.10'],
        connect: () => testClient(life, supervisor, ++attempts > 1 ? {} : { addresses: [nowhere] }),
        wait: (_, signal) => untilEnd(signal),
      }),
    );
    await taken;
    assert.deepEqual(renewed, [['serving-kubelet']]);
  });

  it('does not ask all the time where a server gives what is due at once', async () => {
    await using life = new Life();
    const { files, options } = await joinedNode(life);
    const waits: number[] = [];
    const enough = Promise.withResolvers<void>();
    careForNodeCertificates(
      options({
        // So long before its end everything is due: whatever the server gives.
        renewal: 0.9999999,
        wait: (milliseconds, signal) => {
          waits.push(milliseconds);
          files.now += milliseconds;
          if (waits.length < 5) return oneTurn();
          enough.resolve();
          return untilEnd(signal);
        },
      }),
    );
    await enough.promise;
    assert.ok(Math.min(...waits) >= 5_000, waits.join());
  });
});
