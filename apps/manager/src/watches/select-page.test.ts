import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RfoError } from '@rfo/foundation';
import type { KubeObject } from '@rfo/kube';
import { createColumns } from './columns.ts';
import { planQuery, type ResourceQuery, type Row } from './select-page.ts';

function pod(
  name: string,
  rest: { labels?: Record<string, string>; phase?: string; restarts?: number[]; namespace?: string } = {},
): KubeObject {
  const { labels, phase, restarts = [], namespace = 'shop' } = rest;
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, ...(labels && { labels }) } },
    status: { ...(phase !== undefined && { phase }), containerStatuses: restarts.map((restartCount) => ({ restartCount })) },
  };
}

const pods = [
  pod('web-10', { labels: { 'tier': 'front', 'example.com/team': 'a' }, phase: 'Running', restarts: [3, 1] }),
  pod('web-9', { labels: { tier: 'front' }, phase: 'Pending' }),
  pod('db-1', { labels: { tier: 'back' }, phase: 'Running', restarts: [12] }),
  pod('Job-2', { phase: 'Failed', restarts: [2], namespace: 'batch' }),
];

function select(query: Partial<ResourceQuery>, objects = pods) {
  const columns = createColumns();
  const plan = planQuery({ page: 1, pageSize: 100, ...query });
  const held = columns.hold(plan.sources);
  const rows = objects.map(
    (object): Row => ({
      ...{ key: `${object.metadata.namespace}/${object.metadata.name}`, namespace: object.metadata.namespace, name: object.metadata.name },
      ...{ version: '1', text: JSON.stringify(object), keys: [], cells: columns.slots.map((column) => column?.read(object)) },
    }),
  );
  const { rows: found, total, next } = plan.select(rows, held, () => true);
  return { names: found.map(({ name }) => name), total, next };
}

const names = (query: Partial<ResourceQuery>): readonly string[] => select(query).names;
const refused = (query: Partial<ResourceQuery>): void =>
  assert.throws(
    () => planQuery({ page: 1, pageSize: 10, ...query }),
    (error) => error instanceof RfoError && error.code === 'api-request-invalid',
    JSON.stringify(query),
  );

describe('a list of resources', () => {
  it('is sorted by namespace and name unless it is asked otherwise, numbers as people read them', () => {
    assert.deepEqual(names({}), ['Job-2', 'db-1', 'web-9', 'web-10']);
  });

  it('filters by fields, those of lists and of labels included, under their short names too', () => {
    assert.deepEqual(names({ filter: ['status.phase=Running'] }), ['db-1', 'web-10']);
    assert.deepEqual(names({ filter: ['status.containerStatuses.restartCount>2'] }), ['db-1', 'web-10']);
    assert.deepEqual(names({ filter: ['labels[example.com/team]=a'] }), ['web-10']);
    assert.deepEqual(names({ filter: ['metadata.labels.tier!=front', 'name~JOB'] }), ['Job-2']);
    assert.deepEqual(names({ filter: ['metadata.labels=x'] }), []);
  });

  it('filters by a label selector as kubectl does', () => {
    assert.deepEqual(names({ selector: 'tier=front' }), ['web-9', 'web-10']);
    assert.deepEqual(names({ selector: 'tier!=front' }), ['Job-2', 'db-1']);
    assert.deepEqual(names({ selector: 'tier in (front, back), !example.com/team' }), ['db-1', 'web-9']);
    assert.deepEqual(names({ selector: 'tier notin (front)' }), ['Job-2', 'db-1']);
    assert.deepEqual(names({ selector: 'tier' }), ['db-1', 'web-9', 'web-10']);
    assert.deepEqual(names({ selector: 'constructor' }), []);
    for (const selector of ['', 'tier=(x)', 'tier in front', '=x', 'a b']) refused({ selector });
  });

  it('searches names, namespaces and labels in any case', () => {
    assert.deepEqual(names({ search: 'BATCH' }), ['Job-2']);
    assert.deepEqual(names({ search: 'tier=b' }), ['db-1']);
  });

  it('sorts by several fields in either direction, and what has no value stands last in both', () => {
    assert.deepEqual(names({ sort: 'status.phase,-name' }), ['Job-2', 'web-9', 'web-10', 'db-1']);
    assert.deepEqual(names({ sort: '-status.containerStatuses.restartCount' }), ['db-1', 'web-10', 'Job-2', 'web-9']);
    assert.deepEqual(names({ sort: 'status.containerStatuses.restartCount' }), ['Job-2', 'web-10', 'db-1', 'web-9']);
  });

  it('gives the pages of many objects as sorting all of them would', () => {
    const many = Array.from({ length: 2000 }, (_, at) => pod(`p-${(at * 7919) % 2000}`, { phase: `phase-${at % 7}` }));
    const sort = '-status.phase,name';
    const all = select({ sort, pageSize: 5000 }, many).names;
    const byHand = many
      .map(({ metadata: { name }, status }) => ({ name, phase: (status as { phase: string }).phase }))
      .sort((a, b) => b.phase.localeCompare(a.phase) || Number(a.name.slice(2)) - Number(b.name.slice(2)))
      .map(({ name }) => name);
    assert.deepEqual(all, byHand);
    assert.deepEqual(select({ sort, pageSize: 30, page: 5 }, many).names, all.slice(120, 150));
    assert.deepEqual(select({ sort, pageSize: 30, page: 500 }, many).names, []);
  });

  it('goes on behind a cursor, whatever came and went before it', () => {
    const many = Array.from({ length: 50 }, (_, at) => pod(`p-${at}`));
    const first = select({ sort: 'name', pageSize: 20 }, many);
    assert.deepEqual([first.names.at(-1), first.total], ['p-19', 50]);
    const others = [pod('a-new'), ...many.slice(5)];
    const second = select({ sort: 'name', pageSize: 20, cursor: first.next }, others);
    assert.deepEqual([second.names[0], second.names.at(-1), second.total], ['p-20', 'p-39', 46]);
    const third = select({ sort: 'name', pageSize: 20, cursor: second.next }, others);
    assert.deepEqual([third.names.length, third.next], [10, undefined]);
    refused({ cursor: first.next, sort: '-name' });
    refused({ cursor: first.next, sort: 'name', page: 2 });
    refused({ cursor: 'x', sort: 'name' });
  });
});

describe('the columns of an index', () => {
  it('are read once for all who ask by the same field, and give way when nobody does', () => {
    const columns = createColumns();
    const [sources, others] = ['a', 'b'].map((prefix) =>
      Array.from({ length: 40 }, (_, at) => planQuery({ page: 1, pageSize: 1, sort: `${prefix}${at}` }).sources).flat(),
    );
    const held = columns.hold(sources ?? []);
    assert.deepEqual(columns.hold(sources ?? []), held);
    assert.throws(
      () => columns.hold(others ?? []),
      (error) => error instanceof RfoError && error.code === 'api-request-invalid',
    );
    columns.release(held);
    columns.release(held);
    assert.equal(new Set(columns.hold(others ?? []).map(({ slot }) => slot)).size, 40);
    assert.ok(columns.slots.length <= 48);
  });
});
