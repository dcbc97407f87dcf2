// Reads the declaration that `rfo network` renders from; whatever is wrong with it is one sentence with a cure.
import { fail, type RfoError } from '@rfo/foundation';
import { loadNetworkOptions, type NetworkDeclaration, nearest } from '@rfo/schema';
import { parseDocument } from 'yaml';
import * as z from 'zod/mini';
import { judgeDeclaration } from './judge-declaration.ts';

/** Where Cilium 1.x stands, as its minor version. */
export type CiliumMinor = number;

export type ReadOptions = {
  /** The name that mistakes are told of. */
  readonly where: string;
  readonly cilium: CiliumMinor;
  /** What was said of the cluster elsewhere: it goes before the declaration, and is judged with it. */
  readonly cluster?: Readonly<Record<string, unknown>>;
};

/**
 * @param source YAML or JSON
 * @throws config-unreadable, config-unknown-key, config-invalid, or an AggregateError of everything that is wrong
 */
export async function readDeclaration(source: string, { where, cilium, cluster = {} }: ReadOptions): Promise<NetworkDeclaration> {
  const document = parseDocument(source);
  const [broken] = document.errors;
  if (broken !== undefined) throw fail('config-unreadable', { file: where, problem: broken.message.split('\n')[0] ?? '' }, broken);
  const given = withCluster(document.toJS() ?? {}, cluster);
  const { networkDeclaration } = await loadNetworkOptions();
  const parsed = z.safeParse(networkDeclaration, given);
  if (!parsed.success) throwAll(parsed.error.issues.flatMap((issue) => describe(issue, { schema: networkDeclaration, given, where })));
  const { data } = parsed as { data: NetworkDeclaration };
  throwAll(judgeDeclaration(data, cilium).map(({ at, problem, cure }) => fail('config-invalid', { key: at, where, problem, cure })));
  return data;
}

function withCluster(given: unknown, cluster: Readonly<Record<string, unknown>>): unknown {
  const said = Object.entries(cluster).filter(([, value]) => value !== undefined);
  if (said.length === 0 || !isMap(given) || !(given.cluster === undefined || isMap(given.cluster))) return given;
  return { ...given, cluster: { ...given.cluster, ...Object.fromEntries(said) } };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Context = { readonly schema: z.core.$ZodType; readonly given: unknown; readonly where: string };

function describe(issue: z.core.$ZodIssue, { schema, given, where }: Context): RfoError[] {
  const key = pathOf(issue.path);
  const value = valueAt(given, issue.path);
  const invalid = (problem: string, cure: string): RfoError[] => [fail('config-invalid', { key, where, problem, cure })];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((unknown) => {
      const near = nearest(unknown, known);
      const suggestion = near === undefined ? `Known: ${known.join(', ')}` : `Did you mean ${near}?`;
      return fail('config-unknown-key', { key: pathOf([...issue.path, unknown]), where, suggestion });
    });
  }
  if (issue.code === 'custom') return invalid(issue.message, String(issue.params?.cure ?? 'Change it'));
  if (value === undefined) return invalid('it is missing', `Give it${issue.code === 'invalid_type' ? `: ${kindOf(issue.expected)}` : ''}`);
  if (issue.code === 'invalid_type')
    return invalid(`${JSON.stringify(value)} is not ${kindOf(issue.expected)}`, `Give ${kindOf(issue.expected)}`);
  if (issue.code === 'invalid_value')
    return invalid(`${JSON.stringify(value)} is not one of its values`, `Use ${suggested(value, issue.values.map(String))}`);
  if (issue.code === 'too_small') return invalid('it is empty', 'Give at least one entry, or leave it out');
  return invalid(`${JSON.stringify(value)} is not allowed: ${issue.message}`, 'Change it');
}

/** The choice that a mistyped word stands for, or all of them. */
function suggested(value: unknown, choices: readonly string[]): string {
  const near = nearest(
    String(value),
    choices.map((choice) => choice.toLowerCase()),
  );
  return choices.find((choice) => choice.toLowerCase() === near) ?? choices.join(', ');
}

function kindOf(expected: string): string {
  const kinds: Readonly<Record<string, string>> = {
    object: 'a map of keys and values',
    record: 'a map of keys and values',
    array: 'a list',
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
  };
  return kinds[expected] ?? expected;
}

/** `bgp.peers[0].asn`; the whole for the top. */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path.reduce<string>(
    (sum, part) => sum + (typeof part === 'number' ? `[${part}]` : `${sum === '' ? '' : '.'}${String(part)}`),
    '',
  );
  return text === '' ? 'the declaration' : text;
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce(
    (value, part) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined),
    given,
  );
}

/** The keys that an object at this place may have. */
function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'default':
      return keysAt(def.innerType, path);
    case 'pipe':
      return keysAt(def.out, path);
    case 'array':
      return keysAt(def.element, path.slice(1));
    case 'record':
      return keysAt(def.valueType, path.slice(1));
    case 'object': {
      const [first, ...rest] = path;
      const next = first === undefined ? undefined : def.shape[String(first)];
      return next === undefined ? Object.keys(def.shape) : keysAt(next, rest);
    }
    default:
      return [];
  }
}

function throwAll(problems: readonly RfoError[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw problems.length === 1 ? first : new AggregateError(problems, problems.map(({ message }) => message).join('\n'));
}
