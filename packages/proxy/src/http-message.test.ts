import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readFraming } from './http-framing.ts';
import { endToEndHeaders } from './http-headers.ts';

const framing = (...rawHeaders: string[]) => readFraming({ rawHeaders, httpVersion: '1.1' });

it('tells where a body ends', () => {
  assert.deepEqual(framing('Accept', '*/*'), { kind: 'none' });
  assert.deepEqual(framing('Content-Length', '12'), { kind: 'length', bytes: 12 });
  assert.deepEqual(framing('TRANSFER-ENCODING', 'Chunked'), { kind: 'chunked' });
});

const ambiguous: readonly string[][] = [
  ['Content-Length', '5', 'Transfer-Encoding', 'chunked'],
  ['Content-Length', '5', 'Content-Length', '5'],
  ['Content-Length', '5', 'Content-Length', '6'],
  ['Content-Length', '5, 5'],
  ['Content-Length', '+5'],
  ['Content-Length', '-5'],
  ['Content-Length', '0x5'],
  ['Content-Length', ''],
  ['Content-Length', '1e3'],
  ['Content-Length', '99999999999999999999'],
  ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'chunked, identity'],
  ['Transfer-Encoding', 'gzip, chunked'],
  ['Transfer-Encoding', 'identity'],
  ['Transfer-Encoding', 'xchunked'],
  ['Transfer-Encoding', ''],
  ['Transfer_Encoding', 'chunked'],
  ['Content_Length', '5'],
];
for (const headers of ambiguous) it(`refuses ${headers.join(' ')}`, () => assert.ok('problem' in framing(...headers)));

it('refuses chunks of who cannot know them', () => {
  assert.ok('problem' in readFraming({ rawHeaders: ['Transfer-Encoding', 'chunked'], httpVersion: '1.0' }));
});

it('passes on what is for the other end, each line of its own, and nothing that speaks of the connection', () => {
  const raw = [
    ...[
      'Accept',
      'a',
      'X-Stream-Protocol-Version',
      'v4',
      'x-stream-protocol-version',
      'v5',
      'Connection',
      'keep-alive, X-Hop',
      'X-Hop',
      '1',
    ],
    ...[
      'Keep-Alive',
      'timeout=5',
      'TE',
      'trailers',
      'Trailer',
      'X',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2c',
      'Host',
      'h',
      'Expect',
      '100-continue',
    ],
    ...['Proxy-Authorization', 'x', 'Proxy-Connection', 'close', 'Secret', 's', '__proto__', 'p'],
  ];
  const kept = endToEndHeaders(raw, (name) => name === 'secret');
  assert.deepEqual(Object.entries(kept), [
    ['accept', ['a']],
    ['x-stream-protocol-version', ['v4', 'v5']],
    ['__proto__', ['p']],
  ]);
});
