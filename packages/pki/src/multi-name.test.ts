import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeMultiName, pkixName } from './multi-name.ts';
import { decodeName, encodeName, type Name, type NameType } from './name.ts';
import { openssl } from './openssl.testing.ts';

/** What openssl makes of a name's DER: each value with its string type. */
function parsed(der: Buffer): string[] {
  const lines = openssl(['asn1parse', '-inform', 'DER', '-in', 'name'], { name: der }).trim().split('\n');
  return lines.map((line) => line.replace(/^\s*\d+:d=\s*(\d+).*(?:cons|prim): (\S+)\s*:?(.*)$/, '$1 $2 $3').trim());
}

describe('a name as Go writes it', () => {
  const wild: Name = [
    { type: '1.2.3.4', value: 'x' },
    { type: 'serialNumber', value: '7' },
    { type: 'CN', value: 'c*' },
    { type: 'OU', value: 'ü' },
    { type: 'O', value: 'system:nodes' },
    { type: 'emailAddress', value: 'm@x' },
    { type: 'O', value: 'a' },
    { type: 'postalCode', value: 'p' },
    { type: 'STREET', value: 's' },
    { type: 'L', value: 'l' },
    { type: 'ST', value: '.' },
    { type: 'C', value: 'SE' },
  ];

  it('has the bytes that Go gives it', () => {
    assert.equal(encodeMultiName(wild).toString('hex'), fromGo);
  });

  it('has one relative name for each type, and text that is printable when it can be', () => {
    const values = parsed(encodeMultiName(wild)).filter((line) => line.startsWith('3 '));
    assert.deepEqual(values, [
      '3 OBJECT countryName',
      '3 PRINTABLESTRING SE',
      '3 OBJECT stateOrProvinceName',
      '3 PRINTABLESTRING .',
      '3 OBJECT localityName',
      '3 PRINTABLESTRING l',
      '3 OBJECT streetAddress',
      '3 PRINTABLESTRING s',
      '3 OBJECT postalCode',
      '3 PRINTABLESTRING p',
      '3 OBJECT organizationName',
      '3 PRINTABLESTRING a',
      '3 OBJECT organizationName',
      '3 PRINTABLESTRING system:nodes',
      '3 OBJECT organizationalUnitName',
      '3 UTF8STRING ü',
      '3 OBJECT commonName',
      '3 UTF8STRING c*',
      '3 OBJECT serialNumber',
      '3 PRINTABLESTRING 7',
      '3 OBJECT 1.2.3.4',
      '3 PRINTABLESTRING x',
      '3 OBJECT emailAddress',
      '3 UTF8STRING m@x',
    ]);
  });

  it('is read back with all its attributes, and written again the same', () => {
    const type = fc.constantFrom<NameType>(
      'C',
      'ST',
      'L',
      'STREET',
      'postalCode',
      'O',
      'OU',
      'CN',
      'serialNumber',
      'DC',
      '1.2.3.4',
      '2.5.4.12',
    );
    const value = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed());
    const key = (name: Name): string[] => name.map((attribute) => `${attribute.type}=${attribute.value}`).toSorted();
    fc.assert(
      fc.property(fc.array(fc.record({ type, value }, { noNullPrototype: true }), { maxLength: 10 }), (name) => {
        const der = encodeMultiName(name);
        const read = decodeName(der);
        assert.deepEqual(key(read), key(name));
        assert.deepEqual(encodeMultiName(read), der);
      }),
    );
  });

  it('refuses a type that is no identifier', () => {
    assert.throws(() => encodeMultiName([{ type: '1.x' as NameType, value: 'a' }]), RangeError);
  });
});

describe('what Go keeps of a name', () => {
  it('is its nine types in order, and of CN and serialNumber the last', () => {
    const name = decodeName(
      encodeName([
        { type: 'CN', value: 'first' },
        { type: 'emailAddress', value: 'm@x' },
        { type: 'O', value: 'b' },
        { type: 'O', value: 'a' },
        { type: 'CN', value: 'last' },
        { type: 'C', value: 'SE' },
        { type: '1.2.3', value: 'x' },
      ]),
    );
    assert.deepEqual(pkixName(name), [
      { type: 'C', value: 'SE' },
      { type: 'O', value: 'b' },
      { type: 'O', value: 'a' },
      { type: 'CN', value: 'last' },
    ]);
    assert.deepEqual(
      pkixName([
        { type: 'CN', value: 'a' },
        { type: 'CN', value: '' },
      ]),
      [],
    );
  });
});

/** `asn1.Marshal(name.ToRDNSequence())` of Go 1.26 with the same values, the last two as ExtraNames. */
const fromGo =
  '3081a4310b3009060355040613025345310a3008060355040813012e310a3008060355040713016c310a30080603550409130173310a30080603550411130170311f3008060355040a1301613013060355040a130c73797374656d3a6e6f646573310b3009060355040b0c02c3bc310b300906035504030c02632a310a30080603550405130137310a300806032a03041301783112301006092a864886f70d0109010c036d4078';
