import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, Life, silentLog } from '@rfo/foundation';
import type { Ensured, EnsuredCertificate } from './ensured.ts';
import { defaultRenewal } from './lifetime.ts';
import { type MonitorOptions, startCertificateMonitor } from './monitor.ts';
import { day, inputs, TestNode } from './node.testing.ts';
import type { ExpiryEvent } from './report.ts';
import { leafNames } from './table.ts';

const hour = 3_600_000;

/** A wait that lasts as long as the test wants: `pass(ms)` moves the clock and lets the sleep end if it is over; gives the next sleep's length. */
class Waits {
  readonly #node: TestNode;
  #sleeping = Promise.withResolvers<{ milliseconds: number; wake: () => void }>();
  constructor(node: TestNode) {
    this.#node = node;
  }
  readonly wait = (milliseconds: number, signal: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => reject(signal.reason));
    this.#sleeping.resolve({ milliseconds, wake: resolve });
    return promise;
  };
  async next(): Promise<number> {
    return (await this.#sleeping.promise).milliseconds;
  }
  async pass(milliseconds: number): Promise<number> {
    const { wake } = await this.#sleeping.promise;
    this.#node.now += milliseconds;
    this.#sleeping = Promise.withResolvers();
    wake();
    return this.next();
  }
}

const run = async (
  node: TestNode,
  options: Partial<MonitorOptions> & { leafLifetime?: number },
  test: (watched: {
    waits: Waits;
    monitor: ReturnType<typeof startCertificateMonitor>;
    renewed: EnsuredCertificate[][];
    events: ExpiryEvent[][];
  }) => Promise<void>,
): Promise<void> => {
  const { leafLifetime = 90 * day } = options;
  const ensure = (): Promise<Ensured> => node.ensure({ leafLifetime });
  const waits = new Waits(node);
  const renewed: EnsuredCertificate[][] = [];
  const events: ExpiryEvent[][] = [];
  await using life = new Life();
  const monitor = startCertificateMonitor({
    ...{ ensure, first: await ensure(), life, clock: node.clock, log: silentLog, renewal: defaultRenewal, wait: waits.wait },
    onRenewed: (items) => void renewed.push([...items]),
    onEvents: (items) => void events.push([...items]),
    ...options,
  });
  await test({ waits, monitor, renewed, events });
};

describe('the certificate monitor', () => {
  it('sleeps an hour at most, and exactly until the next renewal when that comes first', async () => {
    using node = new TestNode();
    await run(node, {}, async ({ waits, renewed }) => {
      assert.equal(await waits.next(), hour);
      const due = 60 * day - 100_000;
      assert.equal(await waits.pass(due - 20 * 60_000), 20 * 60_000);
      assert.equal(renewed.length, 0);
      assert.equal(await waits.pass(20 * 60_000), hour);
      assert.deepEqual(
        renewed.map((items) => items.map(({ name }) => name)),
        [[...leafNames]],
      );
      assert.equal(await waits.pass(hour), hour);
      assert.equal(renewed.length, 1);
    });
  });

  it('renews after the clock jumped past the end', async () => {
    using node = new TestNode();
    await run(node, {}, async ({ waits, renewed }) => {
      await waits.pass(1000 * day);
      assert.equal(renewed.length, 1);
      assert.match(renewed[0]?.[0]?.reason ?? '', /^expired at/);
      const uses = renewed[0]?.find(({ name }) => name === 'client-kubelet')?.usedBy;
      assert.deepEqual(
        uses?.map(({ component, takes }) => [component, takes]),
        [['kubelet', 'restart']],
      );
    });
  });

  it('keeps certificates of a minute alive', async () => {
    using node = new TestNode();
    await run(node, { leafLifetime: 60_000 }, async ({ waits, monitor, renewed }) => {
      assert.equal(await waits.next(), 38_000);
      for (let round = 1; round <= 5; round++) {
        await waits.pass(await waits.next());
        assert.equal(renewed.length, round);
        assert.ok(monitor.reports().every(({ status }) => status === 'OK'));
      }
    });
  });

  it('checks at once when it is told to, with the inputs of the moment', async () => {
    using node = new TestNode();
    let nodeIps = inputs.nodeIps;
    const ensure = (): Promise<Ensured> => node.ensure({ inputs: { ...inputs, nodeIps } });
    await run(node, { ensure }, async ({ monitor, renewed }) => {
      assert.deepEqual(await monitor.check(), []);
      nodeIps = ['192.0.2.99'];
      const changed = await monitor.check();
      assert.deepEqual(
        changed.map(({ name }) => name),
        ['serving-kubelet', 'serving-kube-apiserver', 'etcd/server-client', 'etcd/peer-server-client'],
      );
      assert.deepEqual(renewed, [changed]);
    });
  });

  it('gives the same items again until they have been taken', async () => {
    using node = new TestNode();
    const tries: number[] = [];
    const onRenewed = (items: readonly EnsuredCertificate[]): void => {
      tries.push(items.length);
      if (tries.length < 3) throw new Error('the component does not stop');
    };
    const lines: string[] = [];
    const log = createLog({ write: (line) => void lines.push(line), level: 'error' });
    await run(node, { onRenewed, log }, async ({ waits, monitor }) => {
      assert.ok((await waits.pass(70 * day)) <= 5_000, 'it tries again soon');
      await assert.rejects(monitor.check(), /does not stop/);
      assert.equal(await waits.pass(5_000), hour);
      assert.deepEqual(tries, [leafNames.length, leafNames.length, leafNames.length]);
      assert.match(lines.join(), /certificates cannot be looked after; trying again.*does not stop/);
      await monitor.check();
      assert.equal(tries.length, 3);
    });
  });

  it('says what is wrong when it cannot renew, and that it is well again', async () => {
    using node = new TestNode();
    let broken = false;
    const ensure = async (): Promise<Ensured> => {
      if (broken) throw new Error('no space left');
      return node.ensure({ leafLifetime: 90 * day });
    };
    await run(node, { ensure }, async ({ waits, monitor, events }) => {
      broken = true;
      assert.ok((await waits.pass(70 * day)) <= 5_000);
      assert.ok((await waits.pass(5_000)) > 5_000, 'it tries less and less often');
      broken = false;
      await waits.pass(60_000);
      assert.deepEqual(
        events.map(([event]) => event?.reason),
        ['CertificateExpirationOK', 'CertificateExpirationWarning', 'CertificateExpirationOK'],
      );
      assert.equal(monitor.reports().find(({ name }) => name === 'client-admin')?.expirySeconds, 90 * 86_400);
    });
  });

  it('ends with its life', async () => {
    using node = new TestNode();
    let checks = 0;
    const ensure = (): Promise<Ensured> => {
      checks++;
      return node.ensure();
    };
    await run(node, { ensure }, async ({ waits }) => void (await waits.next()));
    assert.equal(checks, 0);
  });
});
