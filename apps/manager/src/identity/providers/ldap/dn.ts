/** Compares names of entries (RFC 4514) as far as it takes to see that two are the same, or one is below the other. */

/** The same for two ways to write a DN that differ in case, escapes or blanks around separators. */
export function dnKey(dn: string): string {
  return split(dn, ',')
    .map((rdn) => split(rdn, '+').map(normal).sort().join('+'))
    .join(',');
}

/** Whether a search from this base with this scope would meet the entry. */
export function isWithin(dn: string, { base, scope }: { readonly base: string; readonly scope: 'sub' | 'one' }): boolean {
  const [key, baseKey] = [dnKey(dn), dnKey(base)];
  if (scope === 'one') return key.slice(key.indexOf(',') + 1) === baseKey;
  return key === baseKey || key.endsWith(`,${baseKey}`);
}

/** At separators that are not escaped. */
function split(text: string, separator: ',' | '+'): string[] {
  return text.match(separator === ',' ? /(?:\\.|[^,\\])+/gs : /(?:\\.|[^+\\])+/gs) ?? [];
}

function normal(part: string): string {
  const at = part.indexOf('=');
  const value = unescaped(part.slice(at + 1).trim()).replaceAll(/\s+/g, ' ');
  // The separators of the key cannot come from a value.
  return `${part.slice(0, at).trim()}=${encodeURIComponent(value.toWellFormed().normalize('NFKC').toLowerCase())}`.toLowerCase();
}

/** `\,` is the character itself, `\c3\a9` bytes of UTF-8. */
function unescaped(value: string): string {
  return value.replaceAll(/((?:\\[0-9a-f]{2})+)|\\(.)/gis, (_, bytes: string | undefined, one: string | undefined) =>
    bytes === undefined ? (one ?? '') : Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
}
