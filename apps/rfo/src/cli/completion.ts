// Completion scripts. They hold every word themselves, so that a shell never has to run `rfo` to complete.
import type { OptionInfo } from '@rfo/schema';

export type Offered = {
  readonly name: string;
  readonly summary: string;
  readonly operands: readonly string[];
  readonly infos: readonly OptionInfo[];
};

/** For bash: `source <(rfo completion bash)`. Needs nothing of the bash-completion package. */
export function bashCompletion(commands: readonly Offered[]): string {
  const flags = commands.map(({ name, infos, operands }) => `    "${name}") words="${[...infos.map(flagOf), ...operands].join(' ')}" ;;`);
  const values = distinct(commands).flatMap((info) => {
    const words = info.choices ?? (info.kind === 'boolean' ? ['true', 'false'] : undefined);
    if (words !== undefined) return [`    ${patternOf(info)}) COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current")); return ;;`];
    return info.path === true ? [`    ${patternOf(info)}) COMPREPLY=($(compgen -f -- "$current")); return ;;`] : [];
  });
  return `${[
    '# Completion of rfo for bash: source <(rfo completion bash)',
    '_rfo() {',
    `  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words=""`,
    '  COMPREPLY=()',
    '  # bash breaks words at "=": --key=va is three of them.',
    `  if [ "$current" = "=" ]; then current=""; elif [ "$previous" = "=" ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi`,
    `  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${firstWords(commands).join(' ')}" -- "$current")); return; fi`,
    ...groups(commands).flatMap(({ words, next }) => [
      `  if [ "$command" = "${words.join(' ')}" ]; then`,
      `    if [ "$COMP_CWORD" -eq ${words.length + 1} ]; then COMPREPLY=($(compgen -W "${next.join(' ')}" -- "$current")); return; fi`,
      `    command="$command \${COMP_WORDS[${words.length + 1}]}"`,
      '  fi',
    ]),
    '  case "$previous" in',
    ...values,
    '  esac',
    '  case "$command" in',
    ...flags,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _rfo rfo',
  ].join('\n')}\n`;
}

/** For zsh, through its own reading of bash completions: `source <(rfo completion zsh)`. */
export function zshCompletion(commands: readonly Offered[]): string {
  return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashCompletion(commands).replaceAll('completion bash', 'completion zsh')}`;
}

/** For fish: `rfo completion fish | source`. */
export function fishCompletion(commands: readonly Offered[]): string {
  const lines = ['# Completion of rfo for fish: rfo completion fish | source'];
  const firsts = firstWords(commands).filter((word) => !word.startsWith('-'));
  for (const word of firsts) {
    const summary = commands.find(({ name }) => name === word)?.summary ?? '';
    lines.push(`complete -c rfo -n __fish_use_subcommand -f -a ${word} -d ${quote(summary)}`);
  }
  for (const { words, next } of groups(commands)) lines.push(`complete -c rfo ${fishWhen(words, commands)} -f -a '${next.join(' ')}'`);
  for (const { name, infos, operands } of commands) {
    const when = fishWhen(name.split(' '), commands);
    if (operands.length > 0) lines.push(`complete -c rfo ${when} -f -a '${operands.join(' ')}'`);
    for (const info of infos) lines.push(`complete -c rfo ${when} ${fishFlag(info)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Where all of the words were typed, and none that makes them another command: `ca` before `token create`. */
function fishWhen(words: readonly string[], commands: readonly Offered[]): string {
  const longer = commands.map(({ name }) => name.split(' ')).filter((others) => !isStart(words, others) && isPart(words, others));
  const not = new Set(longer.flat().filter((word) => !words.includes(word) && longer.every((others) => others.includes(word))));
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
  return `-n '${[...seen, ...[...not].map((word) => `not __fish_seen_subcommand_from ${word}`)].join('; and ')}'`;
}

function isStart(words: readonly string[], others: readonly string[]): boolean {
  return words.every((word, at) => others[at] === word);
}

function isPart(words: readonly string[], others: readonly string[]): boolean {
  return words.every((word) => others.includes(word));
}

function fishFlag(info: OptionInfo): string {
  const short = info.short === undefined ? '' : ` -s ${info.short}`;
  const value =
    info.kind === 'boolean'
      ? ''
      : info.path === true
        ? ' -r -F'
        : ` -x${info.choices === undefined ? '' : ` -a '${info.choices.join(' ')}'`}`;
  return `-l ${info.key}${short}${value} -d ${quote(info.help)}`;
}

function firstWords(commands: readonly Offered[]): readonly string[] {
  return [...new Set([...commands.map(({ name }) => name.split(' ', 1).join('')), '--help', '--version'])];
}

/** The words that begin commands of more words, the shorter first, and what may follow each. */
function groups(commands: readonly Offered[]): readonly { readonly words: readonly string[]; readonly next: readonly string[] }[] {
  const all = commands.map(({ name }) => name.split(' '));
  const starts = new Set(all.flatMap((words) => words.slice(1).map((_, at) => words.slice(0, at + 1).join(' '))));
  return [...starts]
    .map((start) => start.split(' '))
    .sort((one, other) => one.length - other.length)
    .map((words) => ({ words, next: [...new Set(all.flatMap((name) => (isStart(words, name) ? (name[words.length] ?? []) : [])))] }));
}

function distinct(commands: readonly Offered[]): readonly OptionInfo[] {
  return [...new Map(commands.flatMap(({ infos }) => infos.map((info) => [info.key, info] as const))).values()];
}

function patternOf(info: OptionInfo): string {
  return `--${info.key}${info.short === undefined ? '' : `|-${info.short}`}`;
}

function flagOf(info: OptionInfo): string {
  return `--${info.key}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`;
}
