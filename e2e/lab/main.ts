/** `npm run lab -- list | enter ID HOST [command…] | reap [FOLDER|--all]`: looks after labs by hand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toRfoError } from '@rfo/foundation';
import { processesIn } from './cgroups.ts';
import { renderEnter } from './enter.ts';
import { isAlive } from './process-facts.ts';
import { reapDeadLabs, reapLab } from './reap.ts';
import { baseEnvironment } from './run.ts';
import { labsFolder, listLabs, readState } from './state.ts';

const usage = 'usage: npm run lab -- list | enter ID HOST [command...] | reap [FOLDER | --all]';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`lab: ${toRfoError(error).message}`);
  process.exitCode = 1;
}

async function main([command, ...args]: readonly string[]): Promise<number> {
  if (command === 'list') return await list();
  if (command === 'reap') return await reap(args);
  if (command === 'enter' && args.length >= 2) return await enter(args);
  console.error(usage);
  return 2;
}

async function list(): Promise<number> {
  for (const dir of await listLabs()) {
    const state = await readState(dir);
    const owner =
      state === undefined ? 'unknown' : (await isAlive(state.owner)) ? `in use by ${state.owner.pid}` : state.kept ? 'kept' : 'dead';
    console.log(`${basename(dir)}\t${owner}\t${state === undefined ? 0 : (await processesIn(state.cgroups)).size} processes\t${dir}`);
  }
  return 0;
}

async function reap([which]: readonly string[]): Promise<number> {
  if (which === undefined) {
    for (const dir of await reapDeadLabs()) console.log(`removed ${dir}`);
  } else {
    for (const dir of which === '--all' ? await listLabs() : [which]) await reapLab(dir);
  }
  return 0;
}

async function enter([id = '', host = '', ...command]: readonly string[]): Promise<number> {
  const dir = join(await labsFolder(), id);
  const state = await readState(dir);
  const init = state === undefined ? undefined : await initOf(state.cgroups.map((path) => join(path, host)));
  if (state === undefined || init === undefined) {
    console.error(`lab: there is no running host ${host} in lab ${id}: see npm run lab -- list`);
    return 1;
  }
  const cgroups = state.cgroups.map((path) => join(path, host, 'cgroup.procs'));
  const [file = '', ...rest] = renderEnter({ init, cgroups }, command.length > 0 ? command : ['bash']);
  const env = { ...baseEnvironment(), TERM: process.env.TERM ?? 'dumb', RFO_LAB_ID: id };
  const [code] = await once(spawn(file, rest, { stdio: 'inherit', env }), 'exit');
  return typeof code === 'number' ? code : 1;
}

/** Process 1 of a host: the one of its processes that is number 1 in its innermost of two process namespaces. */
async function initOf(cgroups: readonly string[]): Promise<number | undefined> {
  for (const pid of await processesIn(cgroups)) {
    const numbers = /^NSpid:\s+(.*)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
    if (numbers.length === 2 && numbers[1] === '1') return pid;
  }
  return undefined;
}
