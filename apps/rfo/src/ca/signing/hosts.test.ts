import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAltName } from '@rfo/pki';
import { readHosts } from './hosts.ts';

const kinds: readonly (readonly [string, string])[] = [
  ['10.0.0.1', 'IP:10.0.0.1'],
  ['::1', 'IP:::1'],
  ['FD00:0::0001', 'IP:fd00::1'],
  ['::ffff:10.0.0.1', 'IP:10.0.0.1'],
  ['010.0.0.1', 'DNS:010.0.0.1'],
  ['10.0.0', 'DNS:10.0.0'],
  ['example.com', 'DNS:example.com'],
  ['*.example.com', 'DNS:*.example.com'],
  ['xyz@example.com', 'email:xyz@example.com'],
  ['Some One <xyz@example.com>', 'email:xyz@example.com'],
  ['"a b"@example.com', 'email:a b@example.com'],
  ['<xyz@example.com>', 'email:xyz@example.com'],
  ['xyz@', 'DNS:xyz@'],
  ['@example.com', 'DNS:@example.com'],
  ['https://www.example.com/a?b', 'URI:https://www.example.com/a?b'],
  ['HTTPS://Www.example.com', 'URI:https://Www.example.com'],
  ['spiffe://domain/path', 'URI:spiffe://domain/path'],
  ['urn:isbn:1', 'URI:urn:isbn:1'],
  ['example.com:8443', 'URI:example.com:8443'],
  ['/var/run', 'URI:/var/run'],
  ['http://a b', 'DNS:http://a b'],
  ['http://a/%zz', 'DNS:http://a/%zz'],
  ['[::1]', 'DNS:[::1]'],
];

describe('readHosts', () => {
  for (const [host, expected] of kinds)
    it(`reads ${host} as ${expected}`, () => assert.deepEqual(readHosts([host]).map(formatAltName), [expected]));

  it('gives names in the order of a certificate, each kind in the order it was written in', () => {
    const hosts = ['http://b', '10.0.0.2', 'b', 'x@y.z', '10.0.0.1', 'a', 'http://a'];
    assert.deepEqual(
      readHosts(hosts).map(({ value }) => value),
      ['b', 'a', 'x@y.z', '10.0.0.2', '10.0.0.1', 'http://b', 'http://a'],
    );
  });

  it('leaves out the empty host that many CSR files hold', () => assert.deepEqual(readHosts(['', 'a', '']), [{ type: 'dns', value: 'a' }]));

  it('is not slowed down by a long name', { timeout: 20_000 }, () => {
    assert.equal(readHosts([`${'a.'.repeat(20_000)}<@`])[0]?.type, 'dns');
    assert.equal(readHosts([`${'aaaa'.repeat(20_000)}<@`])[0]?.type, 'dns');
    assert.equal(readHosts([`${'"a" '.repeat(20_000)}<@`])[0]?.type, 'dns');
  });
});
