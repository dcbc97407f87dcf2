// Reads options from variables: `RFO_CLUSTER_CIDR` for `cluster-cidr`.
import type { RfoError } from '@rfo/foundation';
import type { AnyDeclaration } from './declaration.ts';
import { coerceText, flawed, type Given, type Item, type Reading, splitText } from './given.ts';
import type { OptionInfo } from './option.ts';
import { nearest } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A list takes comma-separated items, or one item a line where items may hold commas. An empty variable counts as none.
 * @returns also a warning for each `RFO_` variable that is nearly, but not, one of an option
 */
export function readEnvironment(declaration: AnyDeclaration, env: Environment): Reading & { readonly warnings: readonly string[] } {
  const given: Given[] = [];
  const problems: RfoError[] = [];
  for (const info of declaration.infos) {
    const name = variablesOf(info).find((variable) => (env[variable] ?? '') !== '');
    const text = name === undefined ? undefined : env[name];
    if (name === undefined || text === undefined) continue;
    const place = `the environment (${name})`;
    const items = toItems(info, text, place);
    if ('problem' in items) problems.push(flawed(info.key, place, items));
    else given.push({ key: info.key, source: 'environment', items, append: false, place });
  }
  return { given, problems, warnings: declaration.passOver ? [] : nearMisses(declaration, env) };
}

/** All variables of an option, its own first. */
export function variablesOf(info: OptionInfo): readonly string[] {
  if (info.from?.includes('environment') === false) return [];
  return [info.variable, ...(info.variables ?? [])];
}

function toItems(info: OptionInfo, text: string, place: string): readonly Item[] | { readonly problem: string; readonly cure: string } {
  if (info.kind === 'list') {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return lines.flatMap((line) => splitText(info, line)).map((value) => ({ value, place }));
  }
  const coerced = coerceText(info, text);
  return 'value' in coerced ? [{ value: coerced.value, place }] : coerced;
}

/** Other programs may have variables of their own that begin with RFO_, so that an unknown one is no mistake by itself. */
function nearMisses({ infos }: AnyDeclaration, env: Environment): readonly string[] {
  const known = infos.flatMap(variablesOf);
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('RFO_') || known.includes(name)) return [];
    const near = nearest(
      name.slice(4).toLowerCase(),
      known.map((variable) => variable.slice(4).toLowerCase()),
    );
    return near === undefined ? [] : [`the variable ${name} is not known; RFO_${near.toUpperCase()} is`];
  });
}
