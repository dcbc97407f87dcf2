import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { it } from 'node:test';
import { nameInJson, nameInProtobuf } from './name-of-created.ts';

const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content);
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
};
const metadata = Buffer.concat([field(1, 'made-x7k2p'), field(3, 'team'), Buffer.from([0x38, 0x96, 0x01])]);
const object = Buffer.concat([field(1, metadata), field(2, 'x'.repeat(500))]);
const whole = Buffer.concat([Buffer.from('k8s\0'), field(1, field(1, 'v1')), field(2, object), field(3, '')]);

it('reads the name in both forms of an answer', () => {
  assert.equal(nameInProtobuf(whole), 'made-x7k2p');
  assert.equal(nameInJson(Buffer.from('{"kind":"X","metadata":{"managedFields":[{"name":"no"}],"name":"yes"}}')), 'yes');
});

it('finds none in what is broken', () => {
  for (const text of ['', '{', 'null', '[]', '{"metadata":{"name":7}}']) assert.equal(nameInJson(Buffer.from(text)), undefined);
  for (let length = 0; length < whole.length - 600; length++) assert.equal(nameInProtobuf(whole.subarray(0, length)), undefined);
  for (let round = 0; round < 2000; round++) nameInProtobuf(Buffer.concat([Buffer.from('k8s\0'), randomBytes(64)]));
});
