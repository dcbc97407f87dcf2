import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readSimpleRequest } from './simple-request.ts';

const simple = Buffer.from('POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nIf-None-Match:  "y" \r\n\r\nabcGET /');

describe('a simple request', () => {
  it('is read up to its end, and not before it is all there', () => {
    const read = readSimpleRequest(simple, 0);
    assert.ok(read.kind === 'request');
    assert.deepEqual([read.method, read.url, read.ifNoneMatch, read.body.toString()], ['POST', '/a', '"y"', 'abc']);
    assert.equal(simple.subarray(read.end).toString(), 'GET /');
    for (let size = 0; size < read.end; size++)
      assert.equal(readSimpleRequest(simple.subarray(0, size), 0).kind, 'more', `after ${size} bytes`);
    assert.deepEqual(readSimpleRequest(Buffer.concat([Buffer.from('xyz'), simple]), 3), { ...read, end: read.end + 3 });
  });

  const strange = [
    'GET /a HTTP/1.1\n\n\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: x\nB: c\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: x\rB: c\r\n\r\n',
    'GET /a\0 HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
    'GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx',
    'POST /a HTTP/1.1\r\nHost: x\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 03\r\n\r\nabc',
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc',
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n',
    'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: identity\r\n\r\nabc',
    'GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n',
    'get /a HTTP/1.1\r\nHost: x\r\n\r\n',
    ' GET /a HTTP/1.1\r\nHost: x\r\n\r\n',
    '\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n',
  ];
  for (const text of strange) {
    it(`is not ${JSON.stringify(text)}`, () => assert.equal(readSimpleRequest(Buffer.from(text, 'latin1'), 0).kind, 'unusual'));
  }

  it('is never as long as to fill the memory', () => {
    assert.equal(readSimpleRequest(Buffer.from(`GET /${'a'.repeat(5000)}`), 0).kind, 'unusual');
    assert.equal(readSimpleRequest(Buffer.from(`GET /${'a'.repeat(5000)} HTTP/1.1\r\nHost: x\r\n\r\n`), 0).kind, 'unusual');
  });

  it('is one or not, whatever the bytes are', () => {
    const piece = fc.constantFrom(
      'GET ',
      'POST ',
      '/',
      ' HTTP/1.1',
      '\r\n',
      'Host: x',
      'Content-Length: 2',
      ': ',
      'a',
      '\n',
      '\r',
      '\0',
      '\xff',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(''), 'latin1');
        const read = readSimpleRequest(bytes, 0);
        if (read.kind === 'request') assert.ok(read.end > 0 && read.end <= bytes.length);
      }),
      { numRuns: 2000 },
    );
  });
});
