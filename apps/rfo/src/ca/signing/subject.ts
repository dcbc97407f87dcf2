/** Subjects: as they are written in JSON, as they stand in a request, and how the one overrides the other. */
import { isOid, type Name, type NameAttribute, type NameType, pkixName } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import type { NameEntry, SubjectWish } from './types.ts';

/**
 * The name that CSR JSON stands for. An identifier given under `OID` stands instead of the usual field of its type.
 * Throws CfsslError 9300 for what is no identifier.
 */
export function subjectOf(wish: SubjectWish): Name {
  const extras = (wish.names ?? []).flatMap(extraNames);
  return [...usualNames(wish).filter(({ type }) => !extras.some((extra) => extra.type === type)), ...extras];
}

/**
 * The `subject` of a request, and from the CSR what is left out in it; other attributes than the usual ones (mail addresses, identifiers) are no
 * field of a wish, and none is taken over beside one. Without a wish the CSR's subject stays as a whole.
 */
export function overrideSubject(wish: SubjectWish | undefined, requested: Name): Name {
  const own = pkixName(requested);
  if (wish === undefined) return [...own, ...requested.filter(({ type }) => !pkixTypes.has(type))];
  const wanted = usualNames(wish);
  const missing = own.filter(({ type }) => overridable.has(type) && !wanted.some((attribute) => attribute.type === type));
  return [...missing, ...wanted];
}

const overridable: ReadonlySet<NameType> = new Set(['C', 'ST', 'L', 'O', 'OU', 'CN', 'serialNumber']);
const pkixTypes: ReadonlySet<NameType> = new Set([...overridable, 'STREET', 'postalCode']);

function usualNames({ CN = '', names = [], SerialNumber = '' }: SubjectWish): Name {
  const fields = (['C', 'ST', 'L', 'O', 'OU'] as const).flatMap((field) =>
    filled(
      field,
      names.map((entry) => entry[field] ?? ''),
    ),
  );
  return [...fields, ...filled('CN', [CN]), ...filled('serialNumber', [SerialNumber])];
}

function filled(type: NameType, values: readonly string[]): NameAttribute[] {
  return values.filter((value) => value !== '').map((value) => ({ type, value }));
}

function extraNames({ OID = {}, E = '' }: NameEntry): NameAttribute[] {
  return [...Object.entries(OID).map(([oid, value]) => ({ type: typeOf(oid), value })), ...filled('emailAddress', [E])];
}

/** Under its usual name, where it has one: nobody slips an organization past a rule as 2.5.4.10. */
function typeOf(oid: string): NameType {
  if (!isOid(oid)) throw new CfsslError(9300, `invalid OID part ${oid}`);
  return usualTypes.get(oid) ?? (oid as NameType);
}

const usualTypes: ReadonlyMap<string, NameType> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.17', 'postalCode'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
]);
