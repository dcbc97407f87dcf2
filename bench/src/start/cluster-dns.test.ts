import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { encodeQuery, isAnswer } from './cluster-dns.ts';

test('a query is what RFC 1035 says', () => {
  assert.equal(encodeQuery(0x1234, 'ab.c').toString('hex'), '12340100000100000000000002616201630000010001');
});

test('only an answer to this question, without an error and with a record, counts', () => {
  const answer = (flags: number, code: number, count: number): Uint8Array =>
    Uint8Array.of(0x12, 0x34, flags, code, 0, 1, 0, count, 0, 0, 0, 0);
  assert.equal(isAnswer(answer(0x81, 0x80, 1), 0x1234), true);
  assert.equal(isAnswer(answer(0x81, 0x80, 1), 0x1235), false);
  assert.equal(isAnswer(answer(0x81, 0x82, 1), 0x1234), false, 'SERVFAIL');
  assert.equal(isAnswer(answer(0x81, 0x80, 0), 0x1234), false, 'no record');
  assert.equal(isAnswer(answer(0x01, 0x00, 1), 0x1234), false, 'a query');
});

test('a real resolver would read the query as it is meant', async () => {
  const server = createSocket('udp4').bind(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createSocket('udp4');
  client.send(encodeQuery(7, 'kubernetes.default'), server.address().port, '127.0.0.1');
  const [message] = (await once(server, 'message')) as [Buffer];
  client.close();
  server.close();
  assert.equal(message.subarray(12, -5).toString('latin1'), '\x0akubernetes\x07default');
  assert.deepEqual([...message.subarray(-5)], [0, 0, 1, 0, 1]);
});
