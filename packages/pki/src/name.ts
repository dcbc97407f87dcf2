/** Distinguished names: who a certificate speaks of. */
import { printableString, sequence, sequenceOf, set, tags, utf8String } from './der.ts';
import { DerError, readOid, readText, readWhole } from './der-reader.ts';
import { attributeOids, encodedOid } from './oids.ts';

/** The short name of a known type, or the dotted object identifier of another. */
export type NameType = keyof typeof attributeOids | `${number}.${string}`;
export type NameAttribute = { readonly type: NameType; readonly value: string };
/** In the order in which they are encoded. */
export type Name = readonly NameAttribute[];

/** A Kubernetes identity: user name and groups. Groups come first, as Go's crypto/x509 orders them. */
export function identity(commonName: string, organizations: readonly string[] = []): Name {
  return [...organizations.map((value) => ({ type: 'O', value }) as const), { type: 'CN', value: commonName }];
}

/** `CN=system:admin,O=system:masters`: last attribute first, special characters escaped (RFC 4514). */
export function formatName(name: Name): string {
  return name
    .map(({ type, value }) => `${type}=${value.replace(/[,+"\\<>;]|^[ #]| $/g, '\\$&')}`)
    .reverse()
    .join(',');
}

/** First value of the given type. */
export function nameValue(name: Name, type: NameType): string | undefined {
  return name.find((attribute) => attribute.type === type)?.value;
}

/** DER of the name; one attribute a relative name. */
export function encodeName(name: Name): Buffer {
  return sequenceOf(name.map(({ type, value }) => set(sequence(attributeOid(type), encodeValue(type, value)))));
}

/** Reads a name's DER: all attributes in order, those of one relative name as if each had its own. Throws DerError. */
export function decodeName(raw: Uint8Array): Name {
  const names: NameAttribute[] = [];
  const relatives = readWhole(raw);
  while (!relatives.done) {
    const relative = relatives.enter(tags.set);
    if (relative.done) throw new DerError('an empty relative name');
    while (!relative.done) {
      const attribute = relative.enter();
      const type = shortName(readOid(attribute.next(tags.oid)));
      names.push({ type, value: readText(attribute.next()) });
      attribute.end();
    }
  }
  return names;
}

/** RFC 5280 §4.1.2.4: country and serial number are printable, domain parts and mail addresses ASCII, everything else UTF-8. */
function encodeValue(type: NameType, value: string): Buffer {
  if (type === 'C' || type === 'serialNumber') return printableString(value);
  if (type !== 'DC' && type !== 'emailAddress') return utf8String(value);
  const text = utf8String(value);
  text[0] = tags.ia5String;
  return text;
}

const shortNames = new Map<string, NameType>(Object.entries(attributeOids).map(([name, dotted]) => [dotted, name as NameType]));

/** DER of a type's identifier. Throws RangeError for what is neither a known type nor a dotted identifier. */
export function attributeOid(type: NameType): Buffer {
  return encodedOid(type in attributeOids ? attributeOids[type as keyof typeof attributeOids] : type);
}

function shortName(dotted: string): NameType {
  return shortNames.get(dotted) ?? (dotted as NameType);
}
