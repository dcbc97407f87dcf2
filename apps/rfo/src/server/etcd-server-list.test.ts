import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { createTestMembers, type TestMember, type TestMembers } from '@rfo/etcd';
import { Life, retry, silentLog } from '@rfo/foundation';
import { startTestCluster } from '@rfo/kube';
import { poll } from '@rfo/process';
import { followApiServers, apiServerLeases as prefix } from './etcd-server-list.ts';

describe('the list of API servers in etcd', { timeout: 120_000 }, () => {
  let members: TestMembers;
  let etcd: TestMember;
  before(async () => {
    members = await createTestMembers();
    etcd = await members.start(await members.slot(), { name: 'default' });
  });
  after(() => members.stop());

  const key = (address: string): string => `${prefix}${address}`;
  const follow = (t: TestContext, initial: readonly string[], etcdServes: Promise<unknown> = Promise.resolve()) => {
    const life = new Life();
    t.after(() => life.end());
    const client = etcd.client;
    const list = followApiServers({ etcd: client, etcdServes, initial, life, log: silentLog, gatherFor: 20, forgetAfter: 200 });
    const changes = new EventEmitter();
    list.onChange((servers) => void changes.emit('change', servers));
    const change = async (): Promise<readonly string[]> => (await once(changes, 'change', { signal: t.signal }))[0];
    return { list, change };
  };

  it('is empty while there is none, and has the first at once', async (t) => {
    const serving = Promise.withResolvers<void>();
    const { list, change } = follow(t, [], serving.promise);
    serving.resolve();
    await list.synced;
    assert.deepEqual(list.current(), []);
    const first = change();
    await etcd.client.put(key('192.0.2.1'), 'x');
    assert.deepEqual(await first, ['192.0.2.1']);
  });

  it('begins with those that are there, and forgets one that is gone for a while, but never the last', async (t) => {
    await etcd.client.put(key('192.0.2.2'), 'x');
    const { list, change } = follow(t, []);
    await list.synced;
    assert.deepEqual(list.current(), ['192.0.2.1', '192.0.2.2']);
    const next = change();
    await etcd.client.delete(key('192.0.2.1'));
    assert.deepEqual(await next, ['192.0.2.2']);
    await etcd.client.delete(key('192.0.2.2'));
    const another = change();
    await etcd.client.put(key('192.0.2.3'), 'x');
    assert.deepEqual(await another, ['192.0.2.2', '192.0.2.3']);
  });

  it('keeps what it knew while etcd is away, and goes on when it is back', async (t) => {
    const { list } = follow(t, []);
    await list.synced;
    assert.deepEqual(list.current(), ['192.0.2.3']);
    await etcd.kill();
    etcd = await members.start(etcd, { name: 'default' });
    assert.deepEqual(list.current(), ['192.0.2.3']);
    await etcd.client.put(key('192.0.2.4'), 'x');
    await poll(async () => assert.deepEqual(list.current(), ['192.0.2.3', '192.0.2.4']), { signal: t.signal });
  });
});

it('is where a real API server enters itself', { timeout: 120_000 }, async (t) => {
  const cluster = await startTestCluster({ apiServerArguments: ['--endpoint-reconciler-type=lease', '--advertise-address=192.0.2.77'] });
  t.after(() => cluster.stop());
  const etcdctl = join(import.meta.dirname, '../../../../.cache/dist/bin/etcdctl');
  const keys = async (): Promise<string> => {
    const { stdout } = await promisify(execFile)(etcdctl, [`--endpoints=${cluster.etcdUrl}`, 'get', '--prefix', '--keys-only', prefix]);
    if (stdout.trim() === '') throw new Error('there is none yet');
    return stdout.trim();
  };
  assert.equal(await retry(keys, { initial: 50, max: 500, signal: AbortSignal.timeout(60_000) }), `${prefix}192.0.2.77`);
});
