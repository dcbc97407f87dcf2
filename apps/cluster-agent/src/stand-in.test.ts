import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { startTestCluster, type TestCluster } from '@rfo/kube';
import { agentNamespace } from '@rfo/schema';
import { standIn } from './stand-in.ts';

const timing = { duration: 5000, deadline: 4000, retry: 100 };
let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster();
  await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: agentNamespace } });
});
after(() => cluster?.stop());

it('one node stands in at a time, and one that cannot connect lets another have its turn, who keeps it', { timeout: 60_000 }, async (t) => {
  const turns = new EventEmitter();
  const life = new Life();
  t.after(() => life.end());
  /** Nothing is there to connect to: whether a node gets through is what this is about. */
  const start = (identity: string, connects: boolean) =>
    standIn({
      ...{ client: cluster.client, identity, life: life.child(), log: silentLog, timing, patience: 500 },
      keepSession: (own, onState) => {
        turns.emit('begin', identity);
        own.defer(() => turns.emit('end', identity));
        if (connects) queueMicrotask(() => onState(true));
        return { connected: () => connects, problem: () => undefined };
      },
    });
  const began = once(turns, 'begin');
  const cutOff = start('cut-off', false);
  assert.deepEqual(await began, ['cut-off']);
  assert.equal(cutOff.session()?.connected(), false);
  let other: readonly unknown[] = [];
  turns.on('begin', (identity) => {
    other = [identity];
  });
  const connected = start('connected', true);
  while (other[0] !== 'connected') await once(turns, 'begin');
  assert.equal(cutOff.session(), undefined);
  assert.equal(connected.session()?.connected(), true);
  const ended = once(turns, 'end', { signal: AbortSignal.timeout(2000) });
  await assert.rejects(ended, { name: 'AbortError' }, 'it is connected: nobody takes its turn');
});
