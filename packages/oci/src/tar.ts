/**
 * A tar writer of our own, in place of a dependency: a deterministic archive is a header with nothing of the host in it, which is less
 * code than making a general writer forget. Format: POSIX.1-1988 ustar, as pax(1) describes it.
 */
export type TarEntry = { readonly path: string; readonly mode: number; readonly uid?: number; readonly gid?: number } & (
  | { readonly type: 'file'; readonly content: Uint8Array }
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
);

const block = 512;

/**
 * Renders an archive in the entries' order; times are 0 and owners without names.
 * @param entries paths without a leading slash, at most 100 bytes (255 where a `/` falls right); file contents are not copied
 * @returns the archive in pieces, in order, for `writeFile`
 * @throws RangeError for a path, target or size that the format cannot hold
 */
export function tar(entries: readonly TarEntry[]): Uint8Array[] {
  const pieces = entries.flatMap((entry) => {
    if (entry.type !== 'file') return [header(entry, 0)];
    return [header(entry, entry.content.length), entry.content, new Uint8Array(padding(entry.content.length))];
  });
  return [...pieces, new Uint8Array(2 * block)].filter((piece) => piece.length > 0);
}

const typeFlags = { file: '0', symlink: '2', directory: '5' } as const satisfies Record<TarEntry['type'], string>;

function header(entry: TarEntry, size: number): Uint8Array {
  const bytes = Buffer.alloc(block);
  const { prefix, name } = splitPath(entry.type === 'directory' ? `${entry.path}/` : entry.path);
  text(bytes, { at: 0, length: 100, value: name });
  octal(bytes, { at: 100, length: 8, value: entry.mode });
  octal(bytes, { at: 108, length: 8, value: entry.uid ?? 0 });
  octal(bytes, { at: 116, length: 8, value: entry.gid ?? 0 });
  octal(bytes, { at: 124, length: 12, value: size });
  octal(bytes, { at: 136, length: 12, value: 0 });
  bytes.fill(' ', 148, 156);
  text(bytes, { at: 156, length: 1, value: typeFlags[entry.type] });
  text(bytes, { at: 157, length: 100, value: entry.type === 'symlink' ? entry.target : '' });
  text(bytes, { at: 257, length: 8, value: 'ustar\x0000' });
  octal(bytes, { at: 329, length: 8, value: 0 });
  octal(bytes, { at: 337, length: 8, value: 0 });
  text(bytes, { at: 345, length: 155, value: prefix });
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

function splitPath(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path };
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const name = path.slice(slash + 1);
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(path.slice(0, slash)) <= 155)
      return { prefix: path.slice(0, slash), name };
  }
  throw new RangeError(`path too long for a tar header: ${path}`);
}

type Field<Value> = { readonly at: number; readonly length: number; readonly value: Value };

function text(bytes: Buffer, { at, length, value }: Field<string>): void {
  if (Buffer.byteLength(value) > length) throw new RangeError(`too long for a tar header: ${value}`);
  bytes.write(value, at, 'utf8');
}

function octal(bytes: Buffer, { at, length, value }: Field<number>): void {
  const digits = value.toString(8);
  if (digits.length >= length) throw new RangeError(`too large for a tar header: ${value}`);
  bytes.write(digits.padStart(length - 1, '0'), at, 'latin1');
}

function padding(size: number): number {
  return (block - (size % block)) % block;
}
