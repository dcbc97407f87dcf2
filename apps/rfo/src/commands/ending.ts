import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';

/**
 * How a server ends:
 * `end`: everything, pods, mounts and interfaces too (Ctrl-C, a closed terminal);
 * `stop`: Kubernetes' processes, the pods stay (systemctl stop);
 * `release`: rfo alone; the next one adopts what runs (systemctl restart, upgrade, SIGUSR2).
 */
export type Ending = 'end' | 'stop' | 'release';

/** Resolves with how to end, at the first signal that asks for it. Later signals are ignored: each ending finishes by itself. */
export function awaitEnding(env: Readonly<Record<string, string | undefined>>): Promise<Ending> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve('end'));
    process.on('SIGHUP', () => resolve('end'));
    process.on('SIGUSR2', () => resolve('release'));
    process.on('SIGTERM', () => resolve(terminated(env)));
  });
}

/** What SIGTERM asks for: of a node in somebody's terminal (RFO_FOREGROUND) the same as Ctrl-C. */
function terminated(env: Readonly<Record<string, string | undefined>>): Ending | Promise<Ending> {
  if (env.RFO_FOREGROUND !== undefined) return 'end';
  return env.NOTIFY_SOCKET === undefined ? 'stop' : systemdEnding();
}

/**
 * systemd sends the same SIGTERM for stop and restart; only its queue tells them apart. What cannot be found out counts as a stop, which
 * is what the signal says.
 */
async function systemdEnding(): Promise<Ending> {
  const unit = unitOfCgroup(await readFile('/proc/self/cgroup', 'utf8'));
  if (unit === undefined) return 'stop';
  const jobs = await output('systemctl', ['list-jobs', '--no-legend', '--plain', unit]);
  return parseJobs(jobs, unit) === 'restart' ? 'release' : 'stop';
}

/** The kind of the unit's queued job. Format of a line: `id unit type state`. */
export function parseJobs(text: string, unit: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[1] === unit)?.[2];
}

/** The unit this process runs in, from the last part of its path in systemd's control group. Format: cgroups(7). */
export function unitOfCgroup(text: string): string | undefined {
  const line = text.split('\n').find((each) => /^(0::|\d+:name=systemd:)/.test(each) && each.includes('.service'));
  return line?.split('/').find((part) => part.endsWith('.service'));
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await Promise.race([once(child, 'close'), once(child, 'error')]);
  return text;
}
