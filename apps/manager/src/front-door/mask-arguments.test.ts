import assert from 'node:assert/strict';
import { it } from 'node:test';
import { maskArguments } from './mask-arguments.ts';

const table: readonly [command: string[], shown: string[]][] = [
  [
    ['ls', '-l', '/token'],
    ['ls', '-l', '/token'],
  ],
  [
    ['mysql', '--password=geheim', '-u', 'root'],
    ['mysql', '--password=•••', '-u', 'root'],
  ],
  [
    ['tool', '--password', 'geheim'],
    ['tool', '--password', '•••'],
  ],
  [
    ['sh', '-c', 'PGPASSWORD=geheim psql; echo ok'],
    ['sh', '-c', 'PGPASSWORD=••• psql; echo ok'],
  ],
  [
    ['sh', '-c', 'tool --api-key geheim -v'],
    ['sh', '-c', 'tool --api-key ••• -v'],
  ],
  [
    ['curl', '-H', 'Authorization: Bearer geheim12345'],
    ['curl', '-H', 'Authorization: Bearer •••'],
  ],
  [
    ['curl', 'https://me:geheim@example.com/'],
    ['curl', 'https://me:•••@example.com/'],
  ],
  [
    ['echo', '{"token": "geheim"}'],
    ['echo', '{"token": •••}'],
  ],
];
for (const [command, shown] of table) it(`tells ${shown.join(' ')}`, () => assert.deepEqual(maskArguments(command), shown));

it('cuts what is long', () => {
  assert.equal(maskArguments(['a'.repeat(1000)])[0]?.length, 257);
  assert.equal(maskArguments(Array.from({ length: 100 }, () => 'a')).length, 33);
});
