/** One shell script that does what user data would: for hosts that somebody logs in to, and for `#!` user data. Pure. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { shellQuote } from './settings.ts';
import type { HostFile, HostPlan } from './types.ts';

export function renderScript({ summary, files, units }: HostPlan): string {
  const all: readonly HostFile[] = [
    ...files,
    ...units.map(({ name, content }) => ({ path: `/etc/systemd/system/${name}`, mode: '0644', content }) as const),
  ];
  const enabled = units.filter((unit) => unit.enabled).map(({ name }) => name);
  return [
    `#!/bin/sh\n# ${summary}`,
    'set -eu\numask 077',
    putFunction,
    ...all.map(renderPut),
    `systemctl daemon-reload\nsystemctl enable --now ${enabled.join(' ')}\n`,
  ].join('\n\n');
}

/** Its content comes by the standard input: no part of it is ever an argument. */
const putFunction = `# Path, mode.
put() {
  cat >"$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}`;

function renderPut({ path, mode, content }: HostFile): string {
  // No line of the content can be this one by chance.
  const end = `END-${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
  const whole = content.endsWith('\n') ? content : `${content}\n`;
  return `(umask 022; mkdir -p ${shellQuote(dirname(path))})\nput ${shellQuote(path)} ${mode} <<'${end}'\n${whole}${end}`;
}
