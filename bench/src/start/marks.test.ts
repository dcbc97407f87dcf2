import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allRun, coldMarks, type Fact, latestPods, type PodFact, restartMarks, steps } from './marks.ts';

const pod = (name: string, id?: string): PodFact => ({
  name,
  scheduled: true,
  ready: id !== undefined,
  containers: id === undefined ? [] : [id],
  wanted: 1,
});
const saw = (at: number, what: PodFact): Fact => ({ at, kind: 'pod', pod: what });

test('a moment is the first at which it was so, whatever came later', () => {
  const facts: Fact[] = [
    { at: 10, kind: 'readyz' },
    { at: 20, kind: 'node', ready: false, podCidr: false },
    { at: 30, kind: 'node', ready: true, podCidr: true },
    { at: 40, kind: 'node', ready: false, podCidr: true },
    { at: 50, kind: 'node', ready: true, podCidr: true },
  ];
  assert.equal(coldMarks.readyz(facts), 10);
  assert.equal(coldMarks.nodeReady(facts), 30);
  assert.equal(coldMarks.dns(facts), undefined);
});

test('the Deployment runs when its second pod does; pods of others and repetitions do not count', () => {
  const facts = [
    saw(1, pod('kube-system/bench-x', 'z')),
    saw(2, pod('default/bench-a', 'a')),
    saw(3, pod('default/bench-a', 'a')),
    saw(4, pod('default/bench-b')),
  ];
  assert.equal(coldMarks.deployment(facts), undefined);
  assert.equal(coldMarks.deployment([...facts, saw(5, pod('default/bench-b', 'b'))]), 5);
});

test('after a restart the old state of a pod is not taken for a running pod', () => {
  const marks = restartMarks(new Set(['old']));
  const facts = [saw(1, pod('default/bench-a', 'old')), saw(2, pod('default/bench-a')), saw(3, pod('default/bench-a', 'new'))];
  assert.equal(marks.pod(facts.slice(0, 2)), undefined);
  assert.equal(marks.pod(facts), 3);
});

test('all run when as many as expected are known and none stands still or is of before', () => {
  const before = new Set(['old']);
  const two = [saw(1, pod('a/a', '1')), saw(2, pod('b/b', '2'))];
  assert.equal(allRun(two, 2, before), true);
  assert.equal(allRun(two, 3, before), false);
  assert.equal(allRun([...two, saw(3, pod('b/b'))], 2, before), false);
  assert.equal(allRun([...two, saw(3, pod('b/b', 'old'))], 2, before), false);
});

test('a pod is as it was seen last', () => {
  assert.deepEqual(latestPods([saw(1, pod('a/a')), saw(2, pod('a/a', '1'))]), [pod('a/a', '1')]);
});

test('steps tell each change once', () => {
  const facts: Fact[] = [
    { at: 1, kind: 'readyz' },
    { at: 2, kind: 'node', ready: false, podCidr: false },
    saw(3, pod('a/a')),
    saw(4, pod('a/a')),
    { at: 5, kind: 'node', ready: true, podCidr: true },
    saw(6, pod('a/a', '1')),
  ];
  assert.deepEqual(
    steps(facts).map(({ label, at }) => `${at} ${label}`),
    [
      '1 readyz',
      '2 node registered',
      '3 pod a/a exists',
      '3 pod a/a scheduled',
      '5 node has its pod range',
      '5 node Ready',
      '6 pod a/a ready',
    ],
  );
});
