// Reads the flags of a command line.
import { fail, type RfoError } from '@rfo/foundation';
import type { AnyDeclaration } from './declaration.ts';
import { coerceText, flawed, type Given, type Item, type Reading, splitText } from './given.ts';
import type { OptionInfo } from './option.ts';
import { nearest } from './suggest.ts';

const place = 'the command line';

/**
 * Understands `--key value`, `--key=value`, `-k value`, `-k=value`, `--toggle`, `--toggle=false`, and `--` before what is no flag. A list
 * takes its flag repeatedly; of another option the last one counts. Where the declaration says so, `-key` is the same as `--key`.
 * @param argv what follows the command
 * @returns what was given, the arguments that are no flags, and everything that was wrong
 */
export function parseArguments(declaration: AnyDeclaration, argv: readonly string[]): Reading & { readonly operands: readonly string[] } {
  const given = new Map<string, Given>();
  const operands: string[] = [];
  const problems: RfoError[] = [];
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') {
      operands.push(...rest.splice(0));
      break;
    }
    if (!argument.startsWith('-') || argument === '-') {
      operands.push(argument);
      continue;
    }
    const [flag, attached] = splitOnce(argument);
    const info = findFlag(declaration, flag);
    if (info === undefined) {
      problems.push(unknownFlag(declaration, flag));
      if (attached === undefined && rest[0]?.startsWith('-') === false) rest.shift();
      continue;
    }
    const text = attached ?? (info.kind === 'boolean' ? 'true' : takeValue(declaration, rest));
    if (text === undefined) {
      problems.push(flawed(info.key, place, { problem: `${flag} has no value`, cure: `Write --${info.key}=<${info.value ?? 'value'}>` }));
      continue;
    }
    const items = toItems(info, text, problems);
    const earlier = info.kind === 'list' ? (given.get(info.key)?.items ?? []) : [];
    if (items !== undefined) {
      given.set(info.key, { key: info.key, source: 'command-line', items: [...earlier, ...items], append: false, place });
    }
  }
  return { given: [...given.values()], operands, problems };
}

function splitOnce(argument: string): readonly [string, string | undefined] {
  const at = argument.indexOf('=');
  return at < 0 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}

function findFlag({ infos, oneDash }: AnyDeclaration, flag: string): OptionInfo | undefined {
  return infos.find(
    ({ key, short }) => flag === `--${key}` || (oneDash && flag === `-${key}`) || (short !== undefined && flag === `-${short}`),
  );
}

/** The next argument, unless it is a flag that we know: then the value was forgotten. Values may well begin with a dash (`--v=4`). */
function takeValue(declaration: AnyDeclaration, rest: string[]): string | undefined {
  const next = rest[0];
  if (next === undefined || findFlag(declaration, splitOnce(next)[0]) !== undefined) return undefined;
  return rest.shift();
}

function toItems(info: OptionInfo, text: string, problems: RfoError[]): readonly Item[] | undefined {
  if (info.kind === 'list') return (text === '' ? [] : splitText(info, text)).map((value) => ({ value, place }));
  const coerced = coerceText(info, text);
  if ('value' in coerced) return [{ value: coerced.value, place }];
  problems.push(flawed(info.key, place, coerced));
  return undefined;
}

function unknownFlag({ name, infos }: AnyDeclaration, flag: string): RfoError {
  const near = nearest(flag.replace(/^--?/, ''), visible(infos));
  const all = `All flags: rfo ${name} --help`;
  return fail('flag-unknown', { flag, command: name, suggestion: near === undefined ? all : `Did you mean --${near}? ${all}` });
}

function visible(infos: readonly OptionInfo[]): readonly string[] {
  return infos.filter((info) => info.hidden !== true).map((info) => info.key);
}
