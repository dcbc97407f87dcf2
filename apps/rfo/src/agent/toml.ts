/** Writes TOML: just what containerd's files need. */
export type TomlValue = string | number | boolean | readonly TomlValue[];
export type TomlTable = {
  /** Names from the outermost to this table; none for the top of the file. */
  readonly path: readonly string[];
  readonly values: Readonly<Record<string, TomlValue | undefined>>;
};

/** One file of tables in the order given; a value that is undefined is left out. */
export function renderToml(tables: readonly TomlTable[]): string {
  return tables.map(renderTable).join('\n');
}

function renderTable({ path, values }: TomlTable): string {
  const entries = Object.entries(values).filter((entry): entry is [string, TomlValue] => entry[1] !== undefined);
  const head = path.length === 0 ? [] : [`[${path.map(renderKey).join('.')}]`];
  return [...head, ...entries.map(([key, value]) => `${renderKey(key)} = ${renderValue(value)}`), ''].join('\n');
}

function renderKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped. */
function renderValue(value: TomlValue): string {
  if (typeof value === 'object') return `[${value.map(renderValue).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value).replaceAll('\u007f', '\\u007F') : String(value);
}
