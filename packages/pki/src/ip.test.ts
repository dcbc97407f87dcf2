import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytesToIp, canonicalIp, ipToBytes } from './ip.ts';

describe('IP addresses', () => {
  it('have one spelling each', () => {
    assert.equal(canonicalIp('10.43.0.1'), '10.43.0.1');
    assert.equal(canonicalIp('0:0:0:0:0:0:0:1'), '::1');
    assert.equal(canonicalIp('FD00:0043::0001'), 'fd00:43::1');
    assert.equal(canonicalIp('2001:db8:0:0:1:0:0:1'), '2001:db8::1:0:0:1');
    assert.equal(canonicalIp('2001:db8:0:1:1:1:1:1'), '2001:db8:0:1:1:1:1:1');
    assert.equal(canonicalIp('::ffff:10.0.0.1'), '::ffff:a00:1');
    assert.equal(canonicalIp('::'), '::');
  });

  it('are nothing else', () => {
    for (const text of ['', 'localhost', '10.0.0', '10.0.0.256', '010.0.0.1', 'fe80::1%eth0', '1:2:3', '::1::'])
      assert.equal(ipToBytes(text), undefined, text);
    assert.equal(bytesToIp(Buffer.alloc(5)), undefined);
  });

  it('are spelled as the URL standard spells them, and come back as the same bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 0, 1, 0xff, 0xfe), { minLength: 16, maxLength: 16 }), (numbers) => {
        const bytes = Buffer.from(numbers);
        const text = bytesToIp(bytes) ?? '';
        const long = bytes.toString('hex').match(/.{4}/g)?.join(':') ?? '';
        assert.equal(`[${text}]`, new URL(`http://[${long}]`).hostname);
        assert.deepEqual(ipToBytes(text), bytes);
      }),
    );
  });

  it('are what node takes for one, whatever the text', () => {
    const part = fc.constantFrom('', '0', '1', 'ff', 'FFFF', '12345', 'g', '10.0.0.1', '10.0.0', '::', ':', '255', '256', '.', '%a', ' ');
    const text = fc.oneof(
      fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':')),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
      fc.array(part, { maxLength: 9 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (made) => {
        assert.equal(ipToBytes(made) !== undefined, isIP(made) !== 0 && !made.includes('%'), made);
      }),
      { numRuns: 5000 },
    );
  });

  it('are read in any spelling that the system reads', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const host = text.includes(':') ? `[${text}]` : text;
        const expected = new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '');
        assert.equal(canonicalIp(text), expected);
      }),
    );
  });
});
