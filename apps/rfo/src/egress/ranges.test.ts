import assert from 'node:assert/strict';
import { it } from 'node:test';
import { inRanges, Ranges } from './ranges.ts';

it('finds the range that an address lies in, up to its last address and no further', () => {
  const table = new Ranges<string>();
  for (const range of ['10.42.0.0/24', '10.42.1.0/25', '10.42.2.128/26', '2001:db8:0:4::/62']) assert.equal(table.add(range, range), true);
  const found = (address: string): string | undefined => table.find(address);
  assert.equal(found('10.42.0.255'), '10.42.0.0/24');
  assert.equal(found('10.42.1.127'), '10.42.1.0/25');
  assert.equal(found('10.42.1.128'), undefined);
  assert.equal(found('10.42.2.127'), undefined);
  assert.equal(found('10.42.2.191'), '10.42.2.128/26');
  assert.equal(found('10.42.2.192'), undefined);
  assert.equal(found('2001:db8:0:7:ffff::1'), '2001:db8:0:4::/62');
  assert.equal(found('2001:db8:0:8::1'), undefined);
});

it('prefers the narrowest range, and of two equal ones the first', () => {
  const table = new Ranges<string>();
  table.add('0.0.0.0/0', 'all');
  table.add('10.42.3.0/24', 'node');
  table.add('10.42.3.9/24', 'later');
  table.add('10.42.3.7/32', 'one');
  assert.deepEqual(
    ['192.0.2.1', '10.42.3.8', '10.42.3.7', 'node-1'].map((host) => table.find(host)),
    ['all', 'node', 'one', undefined],
  );
});

it('takes nothing that is no range', () => {
  const table = new Ranges<string>();
  for (const text of ['', '10.42.0.0', '10.42.0.0/33', '10.42.0.0/8/8', '10.42.0/24', '2001:db8::/129', 'pods/24', '10.42.0.0/-1']) {
    assert.equal(table.add(text, text), false, text);
  }
  assert.equal(inRanges(['nonsense', '10.0.0.0/8'], '10.1.2.3'), true);
  assert.equal(inRanges([], '10.1.2.3'), false);
});
