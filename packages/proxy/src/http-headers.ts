/** Which headers a proxy passes on: those for the other end, not those of the connection that they came by (RFC 9110 §7.6.1). */

/** By lower-case name; each value is a line of its own on the wire. */
export type HeaderLines = Readonly<Record<string, readonly string[]>>;

/** They speak of one connection, whether `Connection` names them or not. `Host` and `Expect` are for whoever answers them: the proxy itself. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'host',
  'expect',
]);

/**
 * The headers of a message that go on to the other end.
 * @param raw names and values by turns, as `IncomingMessage.rawHeaders` has them
 * @param drop tells which others are left out, by lower-case name
 */
export function endToEndHeaders(raw: readonly string[], drop: (name: string) => boolean): Record<string, string[]> {
  const named = namedByConnection(raw);
  // Without a prototype: a header may be called `__proto__`.
  const lines: Record<string, string[]> = Object.create(null);
  eachHeader(raw, (name, value) => {
    if (ofConnection.has(name) || named.has(name) || drop(name)) return;
    const values = lines[name];
    if (values === undefined) lines[name] = [value];
    else values.push(value);
  });
  return lines;
}

/** All values of a header, in the order of the message. @param name lower case */
export function headerValues(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  eachHeader(raw, (each, value) => {
    if (each === name) values.push(value);
  });
  return values;
}

/** Calls `visit` with each header line, its name in lower case. */
export function eachHeader(raw: readonly string[], visit: (name: string, value: string) => void): void {
  for (let at = 0; at + 1 < raw.length; at += 2) visit((raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '');
}

function namedByConnection(raw: readonly string[]): Set<string> {
  const names = new Set<string>();
  for (const value of headerValues(raw, 'connection')) for (const name of value.split(',')) names.add(name.trim().toLowerCase());
  return names;
}
