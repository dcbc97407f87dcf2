import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostAndPort, parseServerAddress, renderServerAddress } from './server-address.ts';

describe('the address of a server', () => {
  const given = {
    'https://server-1.example.com': ['server-1.example.com', 9345],
    'server-1': ['server-1', 9345],
    'https://server-1:443/': ['server-1', 443],
    '192.0.2.7:6443': ['192.0.2.7', 6443],
    'HTTPS://192.0.2.7': ['192.0.2.7', 9345],
    '[2001:db8::7]:9000': ['2001:db8::7', 9000],
    'https://[2001:db8::7]': ['2001:db8::7', 9345],
    '2001:db8::7': ['2001:db8::7', 9345],
    ' server-1 ': ['server-1', 9345],
  } as const;
  for (const [text, [host, port]] of Object.entries(given)) {
    it(`is read from "${text}", and again from how it is written`, () => {
      const address = parseServerAddress(text);
      assert.deepEqual(address, { host, port });
      assert.deepEqual(parseServerAddress(renderServerAddress(address)), address);
      assert.deepEqual(parseServerAddress(hostAndPort(address)), address);
    });
  }

  for (const text of [
    '',
    'http://server-1',
    'server-1:0',
    'server-1:65536',
    'server-1/path',
    'user@server-1',
    '[server-1]',
    'a b',
    'https://',
    ':9345',
  ])
    it(`is not "${text}"`, () => {
      assert.throws(() => parseServerAddress(text), { code: 'server-address-invalid', message: /https:\/\/server-1.example.com:9345/ });
    });
});
