import assert from 'node:assert/strict';
import { it } from 'node:test';
import { diffObjects } from './diff-objects.ts';
import { parseLine, renderLine } from './line.ts';
import { chooseDue } from './retain.ts';
import { labelOf, segmentName } from './segment.ts';

it('tells what is different, and masks what is secret', () => {
  const before = {
    metadata: { name: 'a', resourceVersion: '1', labels: { x: '1' } },
    spec: { enabled: true, hash: 'abc', list: [1], config: { clientSecret: 's', url: 'u' } },
  };
  const after = {
    metadata: { name: 'a', resourceVersion: '2', labels: { 'x/y': '2' } },
    spec: { enabled: false, hash: 'abd', list: [1, 2], config: { clientSecret: 't', url: 'u' } },
  };
  assert.deepEqual(diffObjects(before, after), [
    { path: '/metadata/labels/x', from: '1' },
    { path: '/metadata/labels/x~1y', to: '2' },
    { path: '/spec/enabled', from: true, to: false },
    { path: '/spec/hash', from: '•••', to: '•••' },
    { path: '/spec/list', from: [1], to: [1, 2] },
    { path: '/spec/config/clientSecret', from: '•••', to: '•••' },
  ]);
});

it('masks secrets however deep they are', () => {
  const secrets = [
    { data: { 'tls.key': 'geheim' } },
    { stringData: { a: 'geheim' } },
    { spec: { bindPassword: 'geheim', tokens: ['geheim'], users: [{ token: 'geheim' }] } },
    { spec: { privateKey: 'geheim', api_key: 'geheim', credentials: { user: 'geheim' } } },
    { list: [{ deep: { passwordHash: 'geheim' } }] },
  ];
  for (const secret of secrets) {
    for (const [one, other] of [
      [undefined, secret],
      [secret, undefined],
      [{}, secret],
    ]) {
      const text = JSON.stringify(diffObjects(one, other));
      assert.ok(!text.includes('geheim'), text);
      assert.ok(text.includes('•••'));
    }
  }
});

it('tells a bounded number of changes', () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`f${at}`, at]));
  const changes = diffObjects({}, { spec: many });
  assert.equal(changes.length, 50);
  assert.deepEqual(changes.at(-1), { path: '', to: '… and 151 more' });
});

const entry = { id: 'a.1', time: '2030-01-01T00:00:00.000Z', replica: 'r', verb: 'create', result: 'done' } as const;

it('writes an entry on one line, whatever is in it', () => {
  const line = renderLine({ ...entry, userAgent: 'a\nb"c\u2028' });
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.deepEqual(parseLine(line), { ...entry, userAgent: 'a\nb"c\u2028' });
});

it('cuts what clients have made long', () => {
  const line = renderLine({
    ...entry,
    userAgent: 'x'.repeat(1e6),
    changes: Array.from({ length: 99 }, () => ({ path: '/a', to: 'y'.repeat(1000) })),
  });
  assert.ok(line.length < 4096, String(line.length));
  assert.match(parseLine(line)?.message ?? '', /too long to be told/);
});

it('takes nothing else for an entry', () => {
  for (const line of ['', 'x', 'null', '[]', '{}', '{"id":1,"time":"a","replica":"a","verb":"a","result":"a"}'])
    assert.equal(parseLine(line), undefined, line);
});

it('names segments so that they sort, and no two replicas share one', () => {
  assert.equal(segmentName('manager-0', 7), 'manager-0-00000007');
  const odd = ['Host.Example', 'host.example', 'host-example', 'x'.repeat(80), 'x'.repeat(81), '-', 'rfo_1'];
  const labels = odd.map(labelOf);
  assert.equal(new Set(labels).size, odd.length);
  for (const label of labels) assert.match(label, /^[a-z0-9]([-a-z0-9]{0,52}[a-z0-9])?$/);
});

it('deletes the oldest first, also before their time when there are too many', () => {
  const refs = [3, 1, 2, 4].map((at) => ({
    name: `s${at}`,
    uid: '',
    replica: 'r',
    sequence: at,
    first: '',
    last: `2030-01-0${at}T00:00:00Z`,
  }));
  const due = (before: string, most: number) => {
    const { refs: chosen, early } = chooseDue(refs, { before: Date.parse(before), most });
    return [chosen.map(({ sequence }) => sequence), early];
  };
  assert.deepEqual(due('2030-01-02T12:00:00Z', 10), [[1, 2], 0]);
  assert.deepEqual(due('2030-01-01T12:00:00Z', 1), [[1, 2, 3], 2]);
  assert.deepEqual(due('2029-01-01T00:00:00Z', 10), [[], 0]);
});
