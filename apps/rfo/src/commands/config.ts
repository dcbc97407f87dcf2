// `rfo config validate` and `rfo config explain`: the configuration, read as the server would read it.
import { fail } from '@rfo/foundation';
import { type Chosen, defaultOf, nearest, type OptionInfo, serverConfig } from '@rfo/schema';
import { defaultConfigFile } from '../cli/config-file.ts';
import type { CommandContext } from '../cli/context.ts';
import { loadFor } from '../cli/with-config.ts';

/** Says that all is well, or throws everything that is wrong. */
export async function validateConfig(context: CommandContext): Promise<number> {
  const { files, warnings } = await loadFor(serverConfig, context);
  for (const warning of warnings) context.stderr.write(`rfo: ${warning}\n`);
  const read = files.length === 0 ? `there is no ${defaultConfigFile(context.env)}; the defaults hold` : files.join(', ');
  context.stdout.write(`The configuration is valid (${read}).\n`);
  return 0;
}

/** One option with its value, source and meaning; without a key a table of all that is not left to its default. */
export async function explainConfig(context: CommandContext): Promise<number> {
  const { chosen, operands } = await loadFor(serverConfig, context, 1);
  const [key] = operands;
  context.stdout.write(key === undefined ? renderTable(chosen) : renderOne(findOption(key), chosen.get(key)));
  return 0;
}

function findOption(key: string): OptionInfo {
  const found = serverConfig.infos.find((info) => info.key === key);
  if (found !== undefined) return found;
  const near = nearest(
    key,
    serverConfig.infos.map((info) => info.key),
  );
  const all = 'All keys: rfo server --help';
  throw fail('config-unknown-key', {
    key,
    where: 'the command line',
    suggestion: near === undefined ? all : `Did you mean "${near}"? ${all}`,
  });
}

function renderOne(info: OptionInfo, choice: Chosen | undefined): string {
  return [
    `${info.key}: ${choice === undefined ? (defaultOf(info) ?? emptyOf(info)) : show(info, choice)}`,
    `  from     ${choice === undefined ? 'its default' : choice.places.join(', ')}`,
    `  meaning  ${info.help}`,
    ...(info.choices === undefined ? [] : [`  values   ${info.choices.join(', ')}`]),
    ...(choice === undefined ? [] : [`  default  ${defaultOf(info) ?? emptyOf(info)}`]),
    `  set by   --${info.key}, ${info.variable}${info.from?.includes('file') === false ? '' : `, or "${info.key}:" in the configuration file`}`,
    '',
  ].join('\n');
}

function renderTable(chosen: ReadonlyMap<string, Chosen>): string {
  const rows = serverConfig.infos.flatMap((info) => {
    const choice = chosen.get(info.key);
    return choice === undefined ? [] : [[info.key, show(info, choice), choice.places.join(', ')] as const];
  });
  if (rows.length === 0) return 'Everything is left to its default.\n';
  const [first, second] = [0, 1].map((column) => Math.max(...[...rows, ['key', 'value', '']].map((row) => row[column]?.length ?? 0)) + 2);
  return [['KEY', 'VALUE', 'FROM'] as const, ...rows]
    .map(([key, value, from]) => `${key.padEnd(first ?? 0)}${value.padEnd(second ?? 0)}${from}\n`)
    .join('');
}

/** The value as the user wrote it; a secret is never shown. */
function show(info: OptionInfo, { items }: Chosen): string {
  if (info.secret === true) return '(secret)';
  if (info.kind === 'list') return items.length === 0 ? '(none)' : items.map((item) => item.value).join(', ');
  return String(items.at(-1)?.value);
}

function emptyOf(info: OptionInfo): string {
  return info.kind === 'boolean' ? 'false' : '(none)';
}
