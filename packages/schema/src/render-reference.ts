// The reference documents, written by `npm run generate`.
import { errorTable } from '@rfo/foundation';
import type { AnyDeclaration } from './declaration.ts';
import type { OptionInfo } from './option.ts';
import { variablesOf } from './read-environment.ts';
import { defaultOf, groupsOf, placeholderOf } from './render-options.ts';

const generated = '<!-- Written by npm run generate. Do not edit. -->';

/**
 * docs/reference/flags.md: a table for each group of options.
 * @param of what is run, and the file that it reads unless it is told another
 */
export function renderFlagReference(
  { name, infos }: Pick<AnyDeclaration, 'name' | 'infos'>,
  of: { readonly program: string; readonly file: string } = { program: `rfo ${name}`, file: '/etc/rancher/rfo/config.yaml' },
): string {
  return [
    generated,
    `# Configuration of \`${of.program}\``,
    '',
    'Each option can be given as a flag, as a variable and as a key of the configuration file: the long name of the flag without its dashes.',
    'The command line goes before the environment, that before the files, a later file before an earlier one; a list that is given replaces',
    `one from further down. \`${of.file}\` is read first, then \`${of.file}.d/*.yaml\` in alphabetical order. In a`,
    'file, `key+:` appends to a list that earlier files gave. A variable holds a list as items separated by commas, or by line breaks where an',
    'item can hold a comma (marked ↵).',
    ...renderGroups(infos, '##'),
    '',
  ].join('\n');
}

/**
 * The flags of several commands that have no configuration file, in one document: docs/reference/ca-flags.md.
 * @param title of the document
 */
export function renderCommandReference(title: string, commands: readonly Pick<AnyDeclaration, 'name' | 'infos' | 'oneDash'>[]): string {
  return [
    generated,
    `# ${title}`,
    '',
    'Where a variable is named it says the same as the flag, and the flag goes before it. A list takes its flag repeatedly, or its items separated by commas.',
    ...commands.flatMap(({ name, infos, oneDash }) => [
      '',
      `## \`rfo ${name}\``,
      ...(oneDash ? ['', 'A flag may begin with one dash as well: `-address=0.0.0.0`.'] : []),
      ...renderGroups(infos, '###'),
    ]),
    '',
  ].join('\n');
}

/** docs/reference/errors.md: every error with its cure. */
export function renderErrorReference(): string {
  return [
    generated,
    '# Errors',
    '',
    'What stands in braces is filled in. A command ends with the exit code: 2 for wrong input, 3 for a host that is not ready, 1 for the rest. *again*: the same may',
    'succeed when it is tried again.',
    '',
    '| code | text | cure | exit | again |',
    '|---|---|---|---|---|',
    ...Object.entries(errorTable).map(
      ([code, entry]) => `| \`${code}\` | ${cell(entry.text)} | ${cell(entry.cure)} | ${entry.exit} | ${entry.retryable ? 'yes' : 'no'} |`,
    ),
    '',
  ].join('\n');
}

/** A table for each group, without what is hidden. */
function renderGroups(infos: readonly OptionInfo[], heading: '##' | '###'): readonly string[] {
  return groupsOf(infos.filter((info) => info.hidden !== true)).flatMap(([title, group]) => [
    '',
    `${heading} ${title}`,
    '',
    '| flag | variable | default | what it does |',
    '|---|---|---|---|',
    ...group.map((info) => `| ${[flagCell(info), variableCell(info), defaultCell(info), cell(info.help)].join(' | ')} |`),
  ]);
}

function flagCell(info: OptionInfo): string {
  const value = placeholderOf(info);
  const short = info.short === undefined ? '' : `, \`-${info.short}\``;
  return `\`--${info.key}${value === '' ? '' : ` ${value.replaceAll('|', '\\|')}`}\`${short}${info.kind === 'list' ? ', repeated' : ''}`;
}

function variableCell(info: OptionInfo): string {
  const names = variablesOf(info).map((name) => `\`${name}\``);
  return names.join(', ') + (info.kind === 'list' && info.split !== true && names.length > 0 ? ' ↵' : '');
}

function defaultCell(info: OptionInfo): string {
  const initial = defaultOf(info);
  if (initial === undefined) return info.kind === 'boolean' ? '`false`' : '';
  return info.unset === undefined ? `\`${initial}\`` : cell(initial);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}
