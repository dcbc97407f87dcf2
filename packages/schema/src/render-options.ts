// The options of a command as its help shows them.
import type { AnyDeclaration } from './declaration.ts';
import type { OptionInfo } from './option.ts';
import { variablesOf } from './read-environment.ts';

/**
 * One block for each group: `  -d, --data-dir <path>  What it does (default: …) [RFO_DATA_DIR]`, wrapped.
 * @param width columns to fill
 */
export function renderOptions({ infos }: Pick<AnyDeclaration, 'infos'>, width = 110): string {
  const shown = infos.filter((info) => info.hidden !== true);
  const column = Math.min(36, Math.max(...shown.map((info) => flagOf(info).length)) + 2);
  return groupsOf(shown)
    .map(([title, group]) => [`${title}:`, ...group.map((info) => renderOption(info, column, width))].join('\n'))
    .join('\n\n');
}

/** Groups in the order of their first option. */
export function groupsOf(infos: readonly OptionInfo[]): readonly (readonly [string, readonly OptionInfo[]])[] {
  return [...Map.groupBy(infos, (info) => info.group)];
}

/** What the help shows for the value of an option; nothing for a toggle. */
export function placeholderOf(info: OptionInfo): string {
  if (info.kind === 'boolean') return '';
  return info.choices?.join('|') ?? `<${info.value ?? (info.path === true ? 'path' : info.kind === 'number' ? 'number' : 'text')}>`;
}

/** What holds when the option is not given, in words; nothing when that is simply nothing. */
export function defaultOf(info: OptionInfo): string | undefined {
  if (info.unset !== undefined) return info.unset;
  if (info.default === undefined || info.default === false || info.kind === 'list') return undefined;
  return String(info.default);
}

function flagOf(info: OptionInfo): string {
  const value = placeholderOf(info);
  return `  ${info.short === undefined ? '    ' : `-${info.short}, `}--${info.key}${value === '' ? '' : ` ${value}`}`;
}

function renderOption(info: OptionInfo, column: number, width: number): string {
  const flag = flagOf(info);
  const initial = defaultOf(info);
  const [variable] = variablesOf(info);
  const words = [
    info.help,
    info.kind === 'list' ? 'May be repeated.' : '',
    initial === undefined ? '' : `(default: ${initial})`,
    variable === undefined ? '' : `[${variable}]`,
  ].filter((part) => part !== '');
  const lines = wrap(words.join(' '), width - column);
  const first = flag.length < column ? `${flag.padEnd(column)}${lines.shift() ?? ''}` : flag;
  return [first, ...lines.map((line) => ' '.repeat(column) + line)].join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
