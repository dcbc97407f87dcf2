/** Reads entries of a directory: names of attributes in any case, values that may be missing, many or bytes. */
import type { Entry } from 'ldapts';

/** Texts of an attribute; bytes that are no text are left out. */
export function valuesOf(entry: Entry, attribute: string): readonly string[] {
  return raw(entry, attribute).flatMap((value) => (typeof value === 'string' && value !== '' ? [value] : []));
}

export function textOf(entry: Entry, attribute: string): string | undefined {
  return valuesOf(entry, attribute)[0];
}

export function bytesOf(entry: Entry, attribute: string): Buffer | undefined {
  const [value] = raw(entry, attribute);
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** What names an entry for ever: objectGUID in the form that Windows shows, anything else as it is. */
export function idOf(entry: Entry, attribute: string): string | undefined {
  if (!isGuid(attribute)) return textOf(entry, attribute);
  const bytes = bytesOf(entry, attribute);
  return bytes?.length === 16 ? formatGuid(bytes) : undefined;
}

/** The value to ask for by such an id; undefined where it can be the id of nothing. */
export function idValue(attribute: string, id: string): string | Buffer | undefined {
  if (!isGuid(attribute)) return id === '' ? undefined : id;
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? parseGuid(id) : undefined;
}

/** The first value of the name that stands in the DN; otherwise the first of all, so that it is the same at each look. */
export function nameOf(entry: Entry, attribute: string): string | undefined {
  const values = [...valuesOf(entry, attribute)].sort();
  const inDn = values.find((value) => entry.dn.toLowerCase().startsWith(`${attribute}=${value},`.toLowerCase()));
  return inDn ?? values[0];
}

function raw(entry: Entry, attribute: string): readonly (string | Buffer)[] {
  const wanted = attribute.toLowerCase();
  const found = Object.entries(entry).find(([name]) => name.toLowerCase() === wanted);
  const value = found?.[1] ?? [];
  return Array.isArray(value) ? value : [value];
}

function isGuid(attribute: string): boolean {
  return attribute.toLowerCase() === 'objectguid';
}

/** The first three groups have their bytes in reverse (MS-DTYP 2.3.4). */
const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

function formatGuid(bytes: Buffer): string {
  const hex = Buffer.from(order.map((at) => bytes[at] ?? 0)).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function parseGuid(id: string): Buffer {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  return Buffer.from(order.map((at) => bytes[at] ?? 0));
}
