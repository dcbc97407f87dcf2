import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RfoError } from '@rfo/foundation';
import * as z from 'zod/mini';
import { listPage, listQuery } from './list-query.ts';

const items = [
  { name: 'node-10', phase: 'Active', count: 10, labels: { 'example.com/tier': 'prod' }, places: [{ cluster: 'one' }, { cluster: 'two' }] },
  { name: 'node-9', phase: 'Away', count: 9, labels: {}, places: [{ cluster: 'three' }] },
  { name: 'other', phase: 'Active', labels: { 'example.com/tier': 'test' }, places: [] },
];

function names(query: Readonly<Record<string, unknown>>): readonly string[] {
  return listPage<(typeof items)[number]>(items, z.parse(listQuery, query)).items.map(({ name }) => name);
}

test('without a query a list is sorted by name as people read numbers', () => {
  assert.deepEqual(names({}), ['node-9', 'node-10', 'other']);
});

test('filters compare, contain and negate, reach into lists and labels, and all of them must hold', () => {
  assert.deepEqual(names({ filter: 'phase=Active' }), ['node-10', 'other']);
  assert.deepEqual(names({ filter: 'phase!=Active' }), ['node-9']);
  assert.deepEqual(names({ filter: 'name~NODE' }), ['node-9', 'node-10']);
  assert.deepEqual(names({ filter: 'name!~node' }), ['other']);
  assert.deepEqual(names({ filter: 'count>9' }), ['node-10']);
  assert.deepEqual(names({ filter: 'count<10' }), ['node-9']);
  assert.deepEqual(names({ filter: 'labels[example.com/tier]=prod' }), ['node-10']);
  assert.deepEqual(names({ filter: 'places.cluster=two' }), ['node-10']);
  assert.deepEqual(names({ filter: ['phase=Active', 'name~other'] }), ['other']);
});

test('a field that is not there fits no value, and differs from every one', () => {
  assert.deepEqual(names({ filter: 'missing=x' }), []);
  assert.deepEqual(names({ filter: 'missing!=x' }), ['node-9', 'node-10', 'other']);
  assert.deepEqual(names({ filter: 'constructor.name=Object' }), []);
});

test('a search looks into every text, in any case', () => {
  assert.deepEqual(names({ search: 'THREE' }), ['node-9']);
});

test('sorting goes by several keys and either direction, and what has no value stands last in both', () => {
  assert.deepEqual(names({ sort: '-count' }), ['node-10', 'node-9', 'other']);
  assert.deepEqual(names({ sort: 'count' }), ['node-9', 'node-10', 'other']);
  assert.deepEqual(names({ sort: 'phase,-name' }), ['other', 'node-10', 'node-9']);
});

test('pages are cut after filter and sort, and the total counts all that was found', () => {
  assert.deepEqual(listPage(items, z.parse(listQuery, { page: '2', pageSize: '2' })), {
    items: [items[2]],
    total: 3,
    page: 2,
    pageSize: 2,
  });
});

test('what is no filter, no field and no page is refused', () => {
  for (const filter of ['phase', '=Active', '']) {
    assert.throws(
      () => names({ filter }),
      (error) => error instanceof RfoError && error.code === 'api-request-invalid',
    );
  }
  for (const query of [{ page: '0' }, { page: 'x' }, { pageSize: '1001' }, { order: 'up' }]) {
    assert.equal(z.safeParse(listQuery, query).success, false, JSON.stringify(query));
  }
});
