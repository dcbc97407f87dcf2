import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bitString, boolean, context, octetString, oid, sequence, set, tagged, time, unsigned } from './der.ts';
import { DerError, DerReader, readOid, readTime, readWhole } from './der-reader.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

describe('DER', () => {
  it('writes the bytes of the standard', () => {
    assert.equal(hex(unsigned(0)), '020100');
    assert.equal(hex(unsigned(127)), '02017f');
    assert.equal(hex(unsigned(128)), '02020080');
    assert.equal(hex(unsigned(Buffer.from([0, 0, 0x80]))), '02020080');
    assert.equal(hex(oid('1.2.840.113549.1.1.11')), '06092a864886f70d01010b');
    assert.equal(hex(oid('2.5.29.17')), '0603551d11');
    assert.equal(hex(oid('2.999.3')), '0603883703');
    assert.equal(hex(boolean(true)), '0101ff');
    assert.equal(hex(bitString(Buffer.from([0xa0]), 5)), '030205a0');
    assert.equal(hex(context(0, unsigned(2))), 'a003020102');
    assert.equal(hex(context(7, Buffer.from([127, 0, 0, 1]), 'primitive')), '87047f000001');
    assert.equal(hex(set(unsigned(2), unsigned(1))), '3106020101020102');
  });

  it('writes lengths in the shortest form', () => {
    assert.equal(hex(octetString(Buffer.alloc(127))).slice(0, 4), '047f');
    assert.equal(hex(octetString(Buffer.alloc(128))).slice(0, 6), '048180');
    assert.equal(hex(octetString(Buffer.alloc(255))).slice(0, 6), '0481ff');
    assert.equal(hex(octetString(Buffer.alloc(256))).slice(0, 8), '04820100');
    assert.equal(hex(octetString(Buffer.alloc(65536))).slice(0, 10), '0483010000');
  });

  it('changes from UTCTime to GeneralizedTime with the year 2050', () => {
    assert.equal(time(Date.parse('2049-12-31T23:59:59.999Z')).toString('latin1'), '\x17\x0d491231235959Z');
    assert.equal(time(Date.parse('2050-01-01T00:00:00Z')).toString('latin1'), '\x18\x0f20500101000000Z');
    assert.equal(time(Date.parse('1950-01-01T00:00:00Z')).toString('latin1'), '\x17\x0d500101000000Z');
    assert.equal(time(Date.parse('1949-12-31T23:59:59Z')).toString('latin1'), '\x18\x0f19491231235959Z');
  });

  it('reads every time it writes', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        const whole = Math.floor(date.getTime() / 1000) * 1000;
        assert.equal(readTime(new DerReader(time(date.getTime())).next()), whole);
      }),
    );
  });

  it('reads every object identifier it writes', () => {
    const arcs = fc.array(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 39 }), arcs, (first, second, rest) => {
        const dotted = [first, second, ...rest].join('.');
        assert.equal(readOid(new DerReader(oid(dotted)).next()), dotted);
      }),
    );
  });

  it('reads what it wrote, at every size', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), (bytes) => {
        assert.deepEqual(new Uint8Array(readWhole(sequence(octetString(bytes))).next().content), bytes);
      }),
      { numRuns: 30 },
    );
  });

  const refused = {
    'a length beyond the end': '30030201',
    'an endless form': '30800000',
    'a length that could be shorter': '308103020101',
    'a length with a leading zero': `3082000303${'00'.repeat(3)}`,
    'a tag of several bytes': '1f8101',
    'nothing': '',
  };
  for (const [what, bytes] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => new DerReader(Buffer.from(bytes, 'hex')).next(), DerError);
    });
  }

  it('refuses bytes after the one value', () => {
    assert.doesNotThrow(() => readWhole(Buffer.from('3000', 'hex')));
    assert.throws(() => readWhole(Buffer.from('300000', 'hex')), DerError);
  });

  it('refuses impossible times', () => {
    for (const text of ['991332000000Z', '9911010000Z', '991101000000+0100'])
      assert.throws(() => readTime(new DerReader(tagged(0x17, Buffer.from(text))).next()), DerError);
  });
});
