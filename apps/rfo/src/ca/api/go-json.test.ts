import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decodeGoBase64 } from './go-base64.ts';
import { GoJsonError } from './go-json.ts';
import {
  type GoType,
  goAny,
  goBigInt,
  goBool,
  goBytes,
  goInt,
  goMap,
  goPointer,
  goSlice,
  goString,
  goStruct,
  goTime,
  readGo,
} from './go-types.ts';

const subject = goStruct('signer.Subject', { CN: goString, SerialNumber: goString });
const everything = goStruct('info.Req', {
  label: goString,
  profile: goString,
  hosts: goSlice(goString),
  serial: goBigInt,
  reason: goInt,
  bundle: goBool,
  token: goBytes,
  subject: goPointer(subject),
  expiry: goTime,
  rest: goAny,
});

function read<T>(text: string | Uint8Array, type: GoType<T>): T {
  return readGo(typeof text === 'string' ? Buffer.from(text) : text, type);
}

function problem(text: string): string {
  return problemOf(text, everything);
}

function problemOf<T>(text: string, type: GoType<T>): string {
  try {
    read(text, type);
  } catch (error) {
    if (error instanceof GoJsonError) return error.message;
    throw error;
  }
  return 'none';
}

it('says what is no JSON as Go does', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'unexpected end of JSON input'],
    ['  \n', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a"', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['{"a":"b', 'unexpected end of JSON input'],
    ['[1', 'unexpected end of JSON input'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['hello=1', "invalid character 'h' looking for beginning of value"],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} {}', "invalid character '{' after top-level value"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['nul', "invalid character ' ' in literal null (expecting 'l')"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['-', "invalid character ' ' in numeric literal"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['01', "invalid character '1' after top-level value"],
    ['\u00e4', "invalid character '\u00c3' looking for beginning of value"],
    ['\u0001', "invalid character '\\x01' looking for beginning of value"],
    ['\ufeff{}', "invalid character '\u00ef' looking for beginning of value"],
    ['['.repeat(1001), 'exceeded max depth'],
  ];
  for (const [text, expected] of cases) assert.equal(problem(text), expected, text);
});

it('says what is of the wrong type as Go does, and where', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{"label":123}', 'json: cannot unmarshal number into Go struct field Req.label of type string'],
    ['{"label":{}}', 'json: cannot unmarshal object into Go struct field Req.label of type string'],
    ['{"hosts":"a"}', 'json: cannot unmarshal string into Go struct field Req.hosts of type []string'],
    ['{"hosts":["a",true]}', 'json: cannot unmarshal bool into Go struct field Req.hosts of type string'],
    ['{"reason":1.5}', 'json: cannot unmarshal number 1.5 into Go struct field Req.reason of type int'],
    ['{"bundle":"yes"}', 'json: cannot unmarshal string into Go struct field Req.bundle of type bool'],
    ['{"subject":{"CN":[]}}', 'json: cannot unmarshal array into Go struct field Subject.subject.CN of type string'],
    ['{"subject":7}', 'json: cannot unmarshal number into Go struct field Req.subject of type signer.Subject'],
    ['{"token":"a"}', 'illegal base64 data at input byte 0'],
    ['[]', 'json: cannot unmarshal array into Go value of type info.Req'],
    ['"x"', 'json: cannot unmarshal string into Go value of type info.Req'],
    ['{"label":1,"profile":2}', 'json: cannot unmarshal number into Go struct field Req.label of type string'],
  ];
  for (const [text, expected] of cases) assert.equal(problem(text), expected, text);
  assert.equal(problemOf('{"a":1}', goMap(goString)), 'json: cannot unmarshal number into Go value of type string');
  assert.notEqual(problem('{"serial":"12"}'), 'none');
  assert.notEqual(problem('{"expiry":"tomorrow"}'), 'none');
});

it('takes keys in any case, leaves unknown ones out and lets the last of doubles count', () => {
  const value = read('{"LABEL":"a","Label":"b","other":{"x":[1]},"PROFILE":"p","profile":null,"la\\u017fel":"z"}', everything);
  assert.equal(value.label, 'b');
  assert.equal(value.profile, 'p');
  assert.equal(read('{"ho\u017fts":["a"]}', everything).hosts?.[0], 'a');
  assert.deepEqual(read('{"subject":{"CN":"a"},"Subject":{"serialnumber":"1"}}', everything).subject, { CN: 'a', SerialNumber: '1' });
});

it('tells null from nothing and from an empty list, and keeps every digit of a serial number', () => {
  assert.deepEqual(read('{"hosts":[]}', everything).hosts, []);
  assert.equal(read('{"hosts":null}', everything).hosts, null);
  assert.equal(read('{}', everything).hosts, null);
  assert.equal(read('null', everything).label, '');
  assert.equal(read('{"subject":{"CN":"x"},"subject":null}', everything).subject, undefined);
  const serial = '654321098765432109876543210987654321098765432109';
  assert.equal(read(`{"serial":${serial}}`, everything).serial, BigInt(serial));
});

it('reads times, bytes, escapes and anything else', () => {
  const value = read(
    '{"expiry":"2027-11-20T07:21:00Z","token":"AQID\\n","label":"\\u00e4\\ud83d\\ude00\\ud800\\t","rest":{"a":[1,null,"b",true]}}',
    everything,
  );
  assert.equal(value.expiry, Date.UTC(2027, 10, 20, 7, 21));
  assert.deepEqual(value.token, Buffer.from([1, 2, 3]));
  assert.equal(value.label, '\u00e4\u{1f600}\ufffd\t');
  assert.deepEqual(value.rest, { a: [1, null, 'b', true] });
  assert.equal(read('{"expiry":"0001-01-01T00:00:00Z"}', everything).expiry, undefined);
  assert.deepEqual(
    [...read('{"a":"1","A":"2"}', goMap(goString))],
    [
      ['a', '1'],
      ['A', '2'],
    ],
  );
});

it('reads a key named like a member of every object as a key', () => {
  assert.deepEqual(Object.keys(read('{"__proto__":{"label":"x"},"constructor":1}', everything)), Object.keys(everything.zero));
  assert.equal(read('{"__proto__":{"label":"x"}}', everything).label, '');
});

it('finds the byte that Go finds in what is no base64', () => {
  const cases: readonly (readonly [string, number | string])[] = [
    ['', ''],
    ['QUJD', 'ABC'],
    ['QUJ\r\nD', 'ABC'],
    ['QQ==', 'A'],
    ['QQ==\n', 'A'],
    ['QQ', 0],
    ['QQ=', 3],
    ['QQ=x', 2],
    ['Q=', 1],
    ['QUJDQ', 4],
    ['QUJD!UJD', 4],
    ['QUJDQU-_', 6],
    ['QQ==QQ==', 4],
    ['====', 0],
    ['QUI=x', 4],
  ];
  for (const [text, expected] of cases) {
    const result = decodeGoBase64(text);
    assert.equal(Buffer.isBuffer(result) ? result.toString() : result, expected, JSON.stringify(text));
  }
});
