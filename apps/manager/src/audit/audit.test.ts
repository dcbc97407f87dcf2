import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { type Clock, createLog, Life, retry, systemClock } from '@rfo/foundation';
import { type KubeObject, startTestCluster, type TestCluster } from '@rfo/kube';
import { installCrds } from '../objects/install-crds.ts';
import { createAudit } from './create-audit.ts';
import { retainOnce, retentionVerb } from './retain.ts';
import { hashSegment, parseSegment, renderSegment, segmentKind, segmentName } from './segment.ts';
import { createSegmentStore } from './segment-store.ts';
import type { Audit, AuditQuery, AuditRecord } from './types.ts';

let cluster: TestCluster;
const life = new Life();
const settings = { get: () => undefined };

before(async () => {
  cluster = await startTestCluster();
  life.defer(() => cluster.stop());
  await installCrds(cluster.client, { log: createLog({ write: () => undefined }), signal: life.signal });
  // A kind that is new is refused for a moment.
  await retry(() => cluster.client.list(segmentKind), { initial: 50, max: 200, signal: life.signal });
});
after(() => life.end());

/** A replica that was started; its end writes what is left. */
function start(replica: string, clock: Clock = systemClock): Audit & { readonly end: () => Promise<void>; readonly lines: string[] } {
  const own = life.child();
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  const audit = createAudit({ client: cluster.client, objects: { settings }, replica, clock, life: own, log });
  return { ...audit, lines, end: () => own.end() };
}

const record = (name: string, more: Partial<AuditRecord> = {}): AuditRecord => ({
  verb: 'create',
  result: 'done',
  user: 'u-1',
  username: 'alice',
  name,
  ...more,
});

async function names(audit: Audit, query: AuditQuery = {}): Promise<(string | undefined)[]> {
  return (await Array.fromAsync(audit.search(query))).map(({ name }) => name);
}

const problemsOf = async (audit: Audit, replica: string) => (await audit.verify()).problems.filter((each) => each.replica === replica);

async function segmentOf(replica: string, sequence: number): Promise<KubeObject> {
  return cluster.client.get({ ...segmentKind, name: segmentName(replica, sequence) });
}

it('keeps entries in the API, and goes on with its chain after a restart', async () => {
  const one = start('restarted');
  one.record(record('a'));
  one.record(record('b'));
  await one.flush();
  one.record(record('c'));
  await one.end();
  const two = start('restarted');
  two.record(record('d'));
  await two.flush();
  assert.deepEqual((await names(two, { user: 'alice' })).slice(0, 4), ['d', 'c', 'b', 'a']);
  const verified = await two.verify();
  assert.deepEqual(verified.problems, []);
  assert.deepEqual(
    verified.chains.filter(({ replica }) => replica === 'restarted').map(({ first, last }) => [first, last]),
    [[1, 2]],
  );
  await two.end();
});

it('shows what was recorded a moment ago, each entry once, the newest of all replicas first', async () => {
  let now = Date.parse('2031-01-01T00:00:00Z');
  const clock = { now: () => (now += 1000) };
  const [one, two] = [start('first', clock), start('second', clock)];
  for (let at = 0; at < 5; at++) {
    one.record(record(`one-${at}`, { user: 'u-9' }));
    two.record(record(`two-${at}`, { user: 'u-9' }));
    if (at === 2) await Promise.all([one.flush(), two.flush()]);
  }
  const own = (await names(one, { user: 'u-9' })).filter((name) => name?.startsWith('one'));
  assert.deepEqual(own, ['one-4', 'one-3', 'one-2', 'one-1', 'one-0'], 'also what it has not written yet');
  await Promise.all([one.flush(), two.flush()]);
  const all = [4, 3, 2, 1, 0].flatMap((at) => [`two-${at}`, `one-${at}`]);
  assert.deepEqual(await names(one, { user: 'u-9' }), all);
  assert.deepEqual(await names(two, { user: 'alice', text: 'ONE-3' }), ['one-3']);
  assert.deepEqual(await names(two, { user: 'u-9', limit: 3 }), all.slice(0, 3));
  assert.deepEqual(await names(two, { user: 'u-9', from: '2031-01-01T00:00:03Z', to: '2031-01-01T00:00:04Z' }), ['two-1', 'one-1']);
  assert.deepEqual(await names(two, { user: 'u-9', verb: 'delete' }), []);
  assert.deepEqual(await names(two, { text: 'username' }), [], 'names of fields are no content');
  await Promise.all([one.end(), two.end()]);
});

it('writes by itself about once a second, however much there is', async () => {
  const audit = start('steady');
  const versions = new Set<string>();
  const stop = new AbortController();
  const began = performance.now();
  for (let at = 0; at < 1000; at++) audit.record(record(`early-${at}`));
  const options = { query: { resourceVersion: '0' }, idle: 30_000, signal: stop.signal, fieldSelector: 'spec.replica=steady' };
  for await (const { object } of cluster.client.watchOnce(segmentKind, options)) {
    const parsed = await parseSegment(object);
    if (!('segment' in parsed)) continue;
    // While the first write is hardly over.
    if (versions.size === 0) for (let at = 0; at < 1000; at++) audit.record(record(`late-${at}`));
    versions.add(object.metadata.resourceVersion ?? '');
    if (parsed.segment.lines.split('\n').length > 2000) break;
  }
  stop.abort();
  const seconds = (performance.now() - began) / 1000;
  assert.ok(versions.size <= Math.ceil(seconds) + 1, `${versions.size} writes in ${seconds} s`);
  assert.deepEqual(await problemsOf(audit, 'steady'), []);
  await audit.end();
});

it('begins another segment when one is large', async () => {
  const audit = start('large');
  for (let at = 0; at < 1500; at++) audit.record(record(`n-${at}`, { message: `${at} `.repeat(200) }));
  await audit.flush();
  const { chains } = await audit.verify();
  assert.ok((chains.find(({ replica }) => replica === 'large')?.last ?? 0) >= 2);
  assert.deepEqual(await problemsOf(audit, 'large'), []);
  assert.equal((await names(audit, { text: 'n-1499' })).length, 1);
  await audit.end();
});

it('finds what was tampered with', async () => {
  const { client } = cluster;
  const write = async (replica: string): Promise<Audit> => {
    for (let at = 1; at <= 4; at++) {
      const audit = start(replica);
      audit.record(record(`entry-${at}`));
      await audit.end();
    }
    return start(replica);
  };
  const tamper = async (object: KubeObject, change: (lines: string) => string, rehash: boolean): Promise<void> => {
    const parsed = await parseSegment(object);
    assert.ok('segment' in parsed);
    const forged = { ...parsed.segment, lines: change(parsed.segment.lines) };
    const { spec } = await renderSegment(forged);
    await client.replace({ ...object, spec: { ...(spec as object), ...(!rehash && { hash: hashSegment(parsed.segment) }) } });
  };

  const edited = await write('edited');
  await tamper(await segmentOf('edited', 2), (lines) => lines.replace('alice', 'mallo'), false);
  assert.match((await problemsOf(edited, 'edited'))[0]?.problem ?? '', /it was changed/);

  const forged = await write('forged');
  await tamper(await segmentOf('forged', 2), (lines) => lines.replace('alice', 'mallo'), true);
  assert.deepEqual(
    (await problemsOf(forged, 'forged')).map(({ sequence }) => sequence),
    [3],
  );

  const holed = await write('holed');
  await client.delete({ ...segmentKind, name: segmentName('holed', 3) });
  assert.match((await problemsOf(holed, 'holed'))[0]?.problem ?? '', /missing/);

  const headless = await write('headless');
  await client.delete({ ...segmentKind, name: segmentName('headless', 1) });
  assert.match((await problemsOf(headless, 'headless'))[0]?.problem ?? '', /from 1 to 1 are missing/);

  const bomb = await write('bomb');
  const object = await segmentOf('bomb', 2);
  await client.replace({ ...object, spec: { ...(object.spec as object), entries: 'bm90IHpzdGQ=' } });
  assert.match((await problemsOf(bomb, 'bomb'))[0]?.problem ?? '', /cannot be unpacked/);
  assert.deepEqual((await names(bomb, { text: 'entry-4' })).includes('entry-4'), true, 'the rest can be searched');
});

it('leaves a segment alone that was changed behind its back, tells it, and goes on', async () => {
  const audit = start('watched');
  audit.record(record('before'));
  await audit.flush();
  const object = await segmentOf('watched', 1);
  const parsed = await parseSegment(object);
  assert.ok('segment' in parsed);
  const { spec } = await renderSegment({ ...parsed.segment, lines: '' });
  await cluster.client.replace({ ...object, spec });
  audit.record(record('after'));
  await audit.flush();
  assert.ok(audit.lines.some((line) => line.includes('is not what this replica has written')));
  assert.match((await problemsOf(audit, 'watched'))[0]?.problem ?? '', /does not follow/);
  assert.ok((await names(audit, { text: 'after' })).includes('after'));
  await audit.end();
});

it('writes a segment again that was deleted while it was open', async () => {
  const audit = start('deleted');
  audit.record(record('kept-1'));
  await audit.flush();
  await cluster.client.delete({ ...segmentKind, name: segmentName('deleted', 1) });
  audit.record(record('kept-2'));
  await audit.flush();
  assert.deepEqual(await names(audit, { text: 'kept-' }), ['kept-2', 'kept-1']);
  assert.deepEqual(await problemsOf(audit, 'deleted'), []);
  await audit.end();
});

it('keeps entries while the API is away, refuses more when there is no room, and loses none without a word', async () => {
  const audit = start('patient');
  audit.record(record('first'));
  await audit.flush();
  await cluster.killApiServer();
  audit.record(record('waiting'));
  await assert.rejects(audit.flush());
  assert.equal(audit.hasRoom(), true);
  assert.notEqual(audit.state().problem, undefined);
  const message = 'x'.repeat(1000);
  let taken = 1;
  for (; audit.hasRoom(); taken++) audit.record(record('much', { user: 'u-much', message }));
  assert.equal(audit.state().lost, 0, 'there is still room for what has begun');
  for (let at = 0; at < 20_000 && audit.state().lost === 0; at++, taken++) audit.record(record('much', { user: 'u-much', message }));
  assert.equal(audit.state().lost, 1);
  assert.ok(audit.lines.some((line) => line.includes('loses entries')));
  await cluster.startApiServer();
  await audit.flush();
  assert.deepEqual({ ...audit.state(), written: 0 }, { pending: 0, written: 0, lost: 1, problem: undefined });
  const [told] = await Array.fromAsync(audit.search({ text: '1 entries were lost' }));
  assert.equal(told?.verb, 'audit');
  assert.equal(audit.state().written, 1 + (taken - 1) + 1, 'all but the lost one, and the entry that tells of it');
  assert.deepEqual(await problemsOf(audit, 'patient'), []);
  await audit.end();
});

it('deletes what is old and says so, so that what somebody else deletes still shows', async () => {
  const day = 86_400_000;
  const began = Date.parse('2020-01-01T00:00:00Z');
  let now = began;
  const clock = { now: () => now };
  for (let at = 1; at <= 5; at++) {
    now = began + at * day;
    const audit = start('old', clock);
    audit.record(record(`day-${at}`));
    await audit.end();
  }
  const audit = start('keeper', clock);
  const store = createSegmentStore(cluster.client);
  const onlyOld = {
    ...store,
    list: async (options: Parameters<typeof store.list>[0]) => (await store.list(options)).filter(({ replica }) => replica === 'old'),
  };
  const lastTold = async () => (await Array.fromAsync(audit.search({ verb: retentionVerb, limit: 1 })))[0];
  const retain = () =>
    retainOnce({
      store: onlyOld,
      keepFor: () => 3 * day,
      lastTold,
      record: audit.record,
      clock,
      log: createLog({ write: (line) => told.push(line) }),
    });
  const told: string[] = [];
  now = began + 5.5 * day;
  await retain();
  await audit.flush();
  assert.deepEqual(await names(audit, { text: 'day-' }), ['day-5', 'day-4', 'day-3']);
  assert.deepEqual(await problemsOf(audit, 'old'), []);
  await cluster.client.delete({ ...segmentKind, name: segmentName('old', 3) });
  now += day;
  await retain();
  await audit.flush();
  assert.match((await problemsOf(audit, 'old'))[0]?.problem ?? '', /from 3 to /);
  assert.ok(told.some((line) => line.includes('are missing')));
  await audit.end();
});
