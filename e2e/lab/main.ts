/** `npm run lab -- …`: labs by hand. One stays from `up` to `down`, on which the commands without an ID work; the rest looks after those of tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { toRfoError } from '@rfo/foundation';
import { runByHand } from './by-hand.ts';
import { processesIn } from './cgroups.ts';
import { openLab } from './lab.ts';
import { findInit } from './power.ts';
import { isAlive } from './process-facts.ts';
import { reapDeadLabs, reapLab } from './reap.ts';
import { baseEnvironment } from './run.ts';
import { type LabState, listLabs, readState } from './state.ts';

const usage = `usage: npm run lab -- <command>
  up NAME... [--full]             makes hosts (--full: with systemd and sshd) in the lab that stays until "down"
  shell HOST [COMMAND...]         a shell, or one command, in a host of it
  cut A B [--one-way]             nothing gets through between two hosts, or only not from the first to the second
  isolate HOST                    nothing gets through between a host and any other
  slow HOST [--delay MS] [--jitter MS] [--loss PERCENT]
  freeze HOST | thaw HOST         the host hangs, and goes on
  heal                            undoes all of these
  kill HOST | boot HOST           power cut, and power
  down                            removes the lab
  list                            all labs of this machine with their hosts
  enter ID HOST [COMMAND...]      as shell, in any lab
  reap [FOLDER | --all]           removes the labs of dead tests, or this one, or all`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`lab: ${toRfoError(error).message}`);
  process.exitCode = 1;
}

async function main([command = '', ...args]: readonly string[]): Promise<number> {
  if (command === 'list') return await list();
  if (command === 'reap') return await reap(args);
  if (command === 'enter' && args.length >= 2) return await enter(args);
  const done = await runByHand(command, args, { enter });
  if (done === undefined) console.error(usage);
  return done ?? 2;
}

async function list(): Promise<number> {
  for (const dir of await listLabs()) {
    const state = await readState(dir);
    const count = state === undefined ? 0 : (await processesIn(state.cgroups)).size;
    console.log(`${basename(dir)}\t${await ownerOf(state)}\t${count} processes\t${dir}`);
    for (const { name, kind, ip } of state?.hosts ?? []) {
      const on = state !== undefined && findInit(state.cgroups.map((path) => ({ path: join(path, name) }))) !== undefined;
      console.log(`  ${name.padEnd(14)}${ip.padEnd(14)}${kind}\t${on ? 'on' : 'off'}`);
    }
  }
  return 0;
}

async function ownerOf(state: LabState | undefined): Promise<string> {
  if (state === undefined) return 'unknown';
  if (state.kept) return 'kept';
  return (await isAlive(state.owner)) ? `in use by ${state.owner.pid}` : 'dead';
}

async function reap([which]: readonly string[]): Promise<number> {
  if (which === undefined) {
    for (const dir of await reapDeadLabs()) console.log(`removed ${dir}`);
  } else {
    for (const dir of which === '--all' ? await listLabs() : [which]) await reapLab(dir);
  }
  return 0;
}

async function enter([id = '', name = '', ...command]: readonly string[]): Promise<number> {
  const lab = await openLab(id, new AbortController().signal);
  const host = lab.hosts().find((one) => one.name === name);
  if (host?.findInit() === undefined) {
    console.error(`lab: there is no running host ${name} in lab ${id}: see npm run lab -- list`);
    return 1;
  }
  const [file = '', ...rest] = host.inside(command.length > 0 ? command : ['bash']);
  const env = { ...baseEnvironment(), TERM: process.env.TERM ?? 'dumb', RFO_LAB_ID: id };
  const [code] = await once(spawn(file, rest, { stdio: 'inherit', env }), 'exit');
  return typeof code === 'number' ? code : 1;
}
