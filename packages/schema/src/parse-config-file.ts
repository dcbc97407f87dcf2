// Reads one configuration file: YAML whose keys are the long names of the flags.
import { fail, type RfoError } from '@rfo/foundation';
import type { Alias, Document, Node, Scalar as YamlScalar } from 'yaml';
import type { AnyDeclaration, Flaw } from './declaration.ts';
import { coerceText, flawed, type Given, type Item, misplaced, type Reading, type Scalar, splitText, wrongType } from './given.ts';
import type { OptionInfo } from './option.ts';
import { nearest } from './suggest.ts';

/**
 * `key: value`, `key: [a, b]`, and `key+: …`, which appends to what earlier files gave. Wherever a text is wanted, a number is taken as it
 * is written (`0644`, `1.30`).
 * @param file its name, for the places
 */
export async function parseConfigFile(
  declaration: AnyDeclaration,
  { text, file }: { readonly text: string; readonly file: string },
): Promise<Reading> {
  // Loaded here, for a node without a configuration file shall not pay for it.
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const document = yaml.parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (node: unknown): string => `${file}:${lines.linePos((node as Node | undefined)?.range?.[0] ?? 0).line}`;
  const broken = document.errors.map((error) =>
    fail('config-unreadable', { file: `${file}:${lines.linePos(error.pos[0]).line}`, problem: error.message }),
  );
  if (broken.length > 0) return { given: [], problems: broken };
  const { contents } = document;
  if (contents === null || (yaml.isScalar(contents) && contents.value === null)) return { given: [], problems: [] };
  if (!yaml.isMap(contents)) return { given: [], problems: [fail('config-unreadable', { file, problem: 'it is not a map of keys' })] };

  const given: Given[] = [];
  const problems: RfoError[] = [];
  for (const pair of contents.items) {
    const written = yaml.isScalar(pair.key) ? String(pair.key.value) : '';
    const append = written.endsWith('+');
    const name = append ? written.slice(0, -1) : written;
    const info = declaration.infos.find(({ key, short }) => name === key || name === short);
    const place = placeOf(pair.key);
    if (info === undefined) {
      if (!declaration.passOver) problems.push(unknownKey(declaration, written, place));
      continue;
    }
    const flaw = misplaced(info, 'file') ?? (append && info.kind !== 'list' ? notAList : undefined);
    const read = flaw === undefined ? readValue({ yaml, document, info, placeOf }, pair.value, place) : flaw;
    if ('problem' in read) problems.push(flawed(info.key, place, read));
    else given.push({ key: info.key, source: 'file', items: read, append, place });
  }
  return { given, problems };
}

const notAList: Flaw = { problem: 'only a list can be appended to', cure: 'Leave out the "+"' };

type Context = {
  readonly yaml: typeof import('yaml');
  readonly document: Document;
  readonly info: OptionInfo;
  readonly placeOf: (node: unknown) => string;
};

function readValue(context: Context, node: unknown, place: string): readonly Item[] | Flaw {
  const { yaml, info } = context;
  const value = resolve(context, node);
  if (info.kind !== 'list') {
    const read = readScalar(context, value);
    return 'problem' in read ? read : [{ value: read.value, place }];
  }
  // Nothing after the key: a list whose items are all commented out.
  if (value === null || value === undefined || (yaml.isScalar(value) && value.value === null)) return [];
  const nodes = yaml.isSeq(value) ? value.items : [value];
  const items: Item[] = [];
  for (const entry of nodes) {
    const read = readScalar(context, resolve(context, entry));
    if ('problem' in read) return read;
    const texts = yaml.isSeq(value) ? [String(read.value)] : splitText(info, String(read.value));
    items.push(...texts.map((text) => ({ value: text, place: context.placeOf(entry) })));
  }
  return items;
}

function resolve({ yaml, document }: Context, node: unknown): unknown {
  return yaml.isAlias(node) ? (node as Alias).resolve(document) : node;
}

function readScalar({ yaml, info }: Context, node: unknown): { readonly value: Scalar } | Flaw {
  if (yaml.isMap(node)) return wrongType(info, 'a map');
  if (yaml.isSeq(node)) return wrongType(info, 'a list');
  const scalar = node as YamlScalar | null | undefined;
  const value = scalar?.value;
  if (value === null || value === undefined) return { problem: 'it has no value', cure: 'Give one, or leave the key out' };
  if (typeof value === 'string') return coerceText(info, value);
  if (typeof value === info.kind && (typeof value === 'boolean' || typeof value === 'number')) return { value };
  if (typeof value === 'number' && info.kind !== 'boolean') return { value: scalar?.source ?? String(value) };
  const quoted = info.kind === 'text' || info.kind === 'list' ? { cure: 'Put it in quotes if it is meant as a text' } : {};
  return { ...wrongType(info, String(value)), ...quoted };
}

function unknownKey({ name, infos }: AnyDeclaration, key: string, place: string): RfoError {
  const keys = infos.filter((info) => info.hidden !== true && misplaced(info, 'file') === undefined).map((info) => info.key);
  const near = nearest(key.replace(/\+$/, '').replaceAll('_', '-'), keys);
  const all = `All keys: rfo ${name} --help`;
  return fail('config-unknown-key', { key, where: place, suggestion: near === undefined ? all : `Did you mean "${near}"? ${all}` });
}
