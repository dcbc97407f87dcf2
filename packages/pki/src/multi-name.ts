/** Names as Go's crypto/x509/pkix has them, which is how CFSSL writes the subject of every certificate. */
import { printableString, sequence, sequenceOf, set, setOf, utf8String } from './der.ts';
import { attributeOid, type Name, type NameAttribute, type NameType } from './name.ts';

/**
 * DER of a name as Go's `pkix.Name.ToRDNSequence` writes it: C, ST, L, STREET, postalCode, O, OU, CN, serialNumber, each type as one relative
 * name that holds all its values (`O = a + O = b`), then every other attribute by itself in the given order. Text is a PrintableString when its
 * characters allow it, else UTF-8, whatever its type. Throws RangeError for a type that is neither known nor a dotted identifier.
 */
export function encodeMultiName(name: Name): Buffer {
  const grouped = goOrder.flatMap((type) => {
    const values = name.filter((attribute) => attribute.type === type);
    return values.length > 0 ? [setOf(values.map(encodeAttribute))] : [];
  });
  const others = name.filter(({ type }) => !goTypes.has(type)).map((attribute) => set(encodeAttribute(attribute)));
  return sequenceOf([...grouped, ...others]);
}

/**
 * What Go's `pkix.Name` keeps of a name that it reads, and so what CFSSL takes over from a request: the nine types in their order, of CN and
 * serialNumber the last value that is not empty, and nothing else. Whoever checks a name that came from outside checks this one.
 */
export function pkixName(name: Name): Name {
  return goOrder.flatMap((type) => {
    const values = name.filter((attribute) => attribute.type === type);
    return single.has(type) ? values.slice(-1).filter(({ value }) => value !== '') : values;
  });
}

const goOrder: readonly NameType[] = ['C', 'ST', 'L', 'STREET', 'postalCode', 'O', 'OU', 'CN', 'serialNumber'];
const goTypes: ReadonlySet<NameType> = new Set(goOrder);
const single: ReadonlySet<NameType> = new Set(['CN', 'serialNumber']);

function encodeAttribute({ type, value }: NameAttribute): Buffer {
  return sequence(attributeOid(type), printable.test(value) ? printableString(value) : utf8String(value));
}

/** X.680 §41.4, without the `*` and `&` that Go reads but does not write. */
const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
