// A set of options that belong together: what a command and its configuration file understand.
import * as z from 'zod/mini';
import { describeOption, type OptionInfo, type Shape } from './option.ts';

/** What is wrong with a value, and what to do about it. */
export type Flaw = { readonly problem: string; readonly cure: string };

/** A rule over several options: looked at only when each of `keys` is sound by itself. Its flaw is told of the first key that was given. */
export type Rule = {
  readonly keys: readonly [string, ...string[]];
  readonly judge: (values: never) => Flaw | undefined;
};

export type Declaration<S extends Shape> = {
  /** Name of the command whose help lists the options. */
  readonly name: string;
  readonly schema: z.ZodMiniObject<S, z.core.$strict>;
  readonly infos: readonly OptionInfo[];
  readonly rules: readonly Rule[];
  /** Keys that are not declared here are no mistake: somebody else reads them. */
  readonly passOver: boolean;
  /** A long flag may be written with one dash as well, as Go's `flag` package has it: what replaces such a program takes its command lines. */
  readonly oneDash: boolean;
};
export type AnyDeclaration = Pick<Declaration<Shape>, 'name' | 'infos' | 'rules' | 'passOver' | 'oneDash'>;

/** The values of a declaration once they are read and checked. */
export type Values<D> = D extends Declaration<infer S> ? Readonly<z.output<z.ZodMiniObject<S, z.core.$strict>>> : never;

/**
 * Declares the options of a command.
 * @param input `prefix` begins its variables, `RFO_` unless given; `oneDash` see `Declaration`
 */
export function declareOptions<S extends Shape>(input: {
  readonly name: string;
  readonly options: S;
  readonly rules?: readonly Rule[];
  readonly prefix?: string;
  readonly oneDash?: boolean;
}): Declaration<S> {
  const { name, options, rules = [], prefix, oneDash = false } = input;
  const infos = Object.entries(options).map(([key, option]) => describeOption(key, option, prefix));
  return { name, schema: z.strictObject(options), infos, rules, passOver: false, oneDash };
}

/**
 * The same options, of which only some are wanted: mistakes in the others are left to the command that wants them.
 * @param name of the command whose options these are
 */
export function subset<S extends Shape, K extends keyof S & string>(
  { schema }: Declaration<S>,
  { name, keys }: { readonly name: string; readonly keys: readonly K[] },
): Declaration<Pick<S, K>> {
  const shape = schema.shape as unknown as S;
  const options = Object.fromEntries(keys.map((key) => [key, shape[key]])) as Pick<S, K>;
  return { ...declareOptions({ name, options }), passOver: true };
}
