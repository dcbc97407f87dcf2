/** The programs that are measured, each in the form that its image has: without types, on a Node of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collectNode, collectProgram } from '@rfo/components';
import { repository } from '@rfo/e2e';
import type { Life } from '@rfo/foundation';
import { programImages } from '../../../images/index.ts';
import { parseMemory } from '../start/usage.ts';

export type Layout = {
  readonly node: string;
  /** As the image starts it. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
};

/**
 * Lays the program of an image out below `.cache/bench` as its image does; it goes with the life. Its Node is a file that no other process has open, so no page is
 * shared with one that is no part of it.
 */
export async function layOut(image: string, life: Life): Promise<Layout> {
  const recipe = programImages.find(({ name }) => name === image);
  if (recipe === undefined) throw new TypeError(`there is no image ${image}`);
  const base = join(repository, '.cache/bench');
  await mkdir(base, { recursive: true });
  const folder = await mkdtemp(join(base, 'program-'));
  life.defer(() => rm(folder, { recursive: true }));
  const node = join(folder, 'usr/bin/node');
  const files = [...(await collectProgram({ root: repository, app: recipe.app })), ...(await collectNode(process.execPath, life.signal))];
  for (const file of files) {
    // The libraries are those of this host either way.
    if (!('content' in file) || (!file.path.startsWith('/app/') && file.path !== '/usr/bin/node')) continue;
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, inPieces(file.content), { mode: file.mode ?? 0o644 });
  }
  const { entrypoint, env = [] } = recipe.config;
  const flags = entrypoint.slice(1).map((word) => (word.startsWith('/app/') ? join(folder, word) : word));
  return { node, command: [node, ...flags], env: Object.fromEntries(env.map((each) => each.split('=', 2))) };
}

/** As containerd unpacks an image: how much of a file the kernel maps at once, and so its memory, depends on how it was written. */
function* inPieces(content: string | Uint8Array): Generator<Uint8Array> {
  const piece = 32 * 1024;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
}

/** What an image tells its Node. */
export function flagsOf(image: string): readonly string[] {
  const entrypoint = programImages.find(({ name }) => name === image)?.config.entrypoint ?? [];
  return entrypoint.filter((word) => word.startsWith('--'));
}

export type Program = {
  readonly pid: number;
  /** Resolves with what the first match is in its output, also of before. Rejects when it ends without. */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** SIGTERM, and SIGKILL where that is not enough. */
  readonly stop: () => Promise<void>;
};

/** Milliseconds to end, and to say what it has to say. */
const endWithin = 15_000;
const sayWithin = 90_000;

/** Ends with the life. */
export function run(command: readonly [string, ...string[]], env: Readonly<Record<string, string>>, life: Life): Program {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH ?? '', ...env } });
  let output = '';
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output = (output + chunk).slice(-200_000);
      for (const look of looks) look();
    });
  }
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  const stop = (): Promise<void> => end(child, ended);
  life.defer(stop);
  return {
    pid: child.pid ?? 0,
    stop,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const settle = (then: () => void): void => {
          clearTimeout(timer);
          looks.delete(look);
          then();
        };
        const failed = (problem: string) => (): void =>
          settle(() => reject(new Error(`${program} ${problem} ${pattern}:\n${output.slice(-4000)}`)));
        const look = (): void => {
          const found = pattern.exec(output);
          if (found !== null) settle(() => resolve(found));
        };
        const timer = setTimeout(failed('has not said'), sayWithin);
        looks.add(look);
        ended.then(failed('ended without'), failed('could not be started and said'));
        look();
      }),
  };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), endWithin);
  await ended.finally(() => clearTimeout(timer));
}

/** Milliseconds of processor time that a process has taken since it began, all its threads together (proc_pid_stat(5)). */
export async function processorTime(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name of the program stands in brackets and may hold anything.
  const [, user, system] = /^(?:\S+ ){11}(\d+) (\d+) /.exec(text.slice(text.lastIndexOf(')') + 2)) ?? [];
  if (user === undefined || system === undefined) throw new Error(`process ${pid} does not say what it took of the processor`);
  return (Number(user) + Number(system)) * (1000 / ticksPerSecond);
}

/** USER_HZ, which is the same on all architectures that Node runs on. */
const ticksPerSecond = 100;

const megabyte = 1e6;

/** MB of a process: `rss` as the kernel counts what is resident, the rest as `parseMemory`. */
export async function memoryOf(pid: number): Promise<{ readonly rss: number; readonly pss: number; readonly anonymous: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const found = parseMemory(text);
  const rss = /^Rss:\s+(\d+) kB$/m.exec(text)?.[1];
  if (found === undefined || rss === undefined) throw new Error(`process ${pid} has no memory of its own`);
  return { rss: (Number(rss) * 1024) / megabyte, pss: found.pss / megabyte, anonymous: found.anonymous / megabyte };
}
