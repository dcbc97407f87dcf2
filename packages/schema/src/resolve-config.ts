// Decides between what the sources gave, and checks the outcome.
import { type RfoError, toRfoError } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { Declaration, Flaw, Values } from './declaration.ts';
import { flawed, type Given, type Item } from './given.ts';
import type { OptionInfo, Shape } from './option.ts';

/** What holds for one option, and where it came from. */
export type Chosen = { readonly items: readonly Item[]; readonly places: readonly string[] };
export type Resolved<S extends Shape> = {
  readonly values: Values<Declaration<S>>;
  /** Only options that some source gave. */
  readonly chosen: ReadonlyMap<string, Chosen>;
};

/**
 * The command line goes before the environment, that before the files, a later file before an earlier one. This holds for lists as well:
 * a list that is given replaces one that was given further down; only `key+` in a file appends, to the files before it.
 * @param given in the order of reading: files, environment, command line
 * @throws RfoError, or an AggregateError of several: everything that is wrong
 */
export function resolveConfig<S extends Shape>(
  declaration: Declaration<S>,
  given: readonly Given[],
  problems: readonly RfoError[] = [],
): Resolved<S> {
  const chosen = choose(given);
  const raw = Object.fromEntries(
    declaration.infos.flatMap((info) => {
      const choice = chosen.get(info.key);
      return choice === undefined ? [] : [[info.key, toRaw(info, choice)]];
    }),
  );
  const parsed = z.safeParse(declaration.schema, raw);
  const all = [...problems, ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, declaration.infos, chosen))];
  all.push(...judgeRules(declaration, { raw, chosen, unsound: new Set(parsed.error?.issues.map((issue) => String(issue.path[0]))) }));
  throwAll(all);
  return { values: parsed.data as Values<Declaration<S>>, chosen };
}

/** Throws one error as it is and several together; returns when there are none. */
function throwAll(problems: readonly RfoError[]): void {
  const [first] = problems;
  if (first === undefined) return;
  throw problems.length === 1 ? first : new AggregateError(problems, problems.map((problem) => problem.message).join('\n'));
}

/** The errors that a thrown value stands for: an AggregateError stands for several. */
export function problemsOf(thrown: unknown): readonly RfoError[] {
  return thrown instanceof AggregateError ? thrown.errors.flatMap(problemsOf) : [toRfoError(thrown)];
}

function choose(given: readonly Given[]): ReadonlyMap<string, Chosen> {
  const chosen = new Map<string, Chosen>();
  for (const { key, items, append, place } of given) {
    const earlier = append ? chosen.get(key) : undefined;
    chosen.set(key, { items: [...(earlier?.items ?? []), ...items], places: [...(earlier?.places ?? []), place] });
  }
  return chosen;
}

function toRaw(info: OptionInfo, { items }: Chosen): unknown {
  return info.kind === 'list' ? items.map((item) => item.value) : items.at(-1)?.value;
}

function describeIssue(issue: z.core.$ZodIssue, infos: readonly OptionInfo[], chosen: ReadonlyMap<string, Chosen>): RfoError {
  const [key, index] = issue.path;
  const info = infos.find((candidate) => candidate.key === key);
  const choice = chosen.get(String(key));
  const item = choice?.items[typeof index === 'number' ? index : choice.items.length - 1];
  return flawed(String(key), item?.place ?? 'the configuration', flawOf(issue, info, item));
}

function flawOf(issue: z.core.$ZodIssue, info: OptionInfo | undefined, item: Item | undefined): Flaw {
  if (issue.code === 'custom') return { problem: issue.message, cure: String(issue.params?.cure ?? 'Change it') };
  const got = info?.secret === true ? 'the given value' : JSON.stringify(item?.value);
  if (info?.choices !== undefined) return { problem: `${got} is not one of its values`, cure: `Use ${info.choices.join(', ')}` };
  return { problem: `${got} is not allowed: ${issue.message}`, cure: 'Change it' };
}

type Judging = {
  readonly raw: Readonly<Record<string, unknown>>;
  readonly chosen: ReadonlyMap<string, Chosen>;
  readonly unsound: ReadonlySet<string>;
};

/** Rules are judged on what is sound, so that one wrong key does not hide the rest. */
function judgeRules<S extends Shape>(declaration: Declaration<S>, { raw, chosen, unsound }: Judging): readonly RfoError[] {
  const sound = Object.fromEntries(Object.entries(raw).filter(([key]) => !unsound.has(key)));
  const values = z.parse(declaration.schema, sound);
  return declaration.rules.flatMap(({ keys, judge }) => {
    if (keys.some((key) => unsound.has(key))) return [];
    const flaw = judge(values as never);
    if (flaw === undefined) return [];
    const key = keys.find((name) => chosen.has(name)) ?? keys[0];
    return [flawed(key, chosen.get(key)?.places.at(-1) ?? 'the configuration', flaw)];
  });
}
