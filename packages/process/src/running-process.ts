import type { ChildProcess } from 'node:child_process';
import { fail, type RfoError, systemCode } from '@rfo/foundation';
import { type Identity, identify, isSame } from './identity.ts';
import { lastLine } from './last-line.ts';
import type { StopScope } from './spec.ts';

/** How often an adopted process is looked at, in milliseconds: by day, and once it was told to end. */
const lookEvery = { running: 250, ending: 10 };

/** A process that runs, a child of ours or an adopted one. */
export type RunningProcess = {
  readonly name: string;
  readonly pid: number;
  readonly identity: Identity;
  readonly adopted: boolean;
  readonly logFile: string;
  /** Aborts when the process has ended; its reason is the `process-failed` error that says how. */
  readonly gone: AbortSignal;
  /** Sends a signal; false when the process has ended. */
  readonly kill: (signal: NodeJS.Signals, scope?: StopScope) => boolean;
  /** It was told to end and is about to: notice it quickly. */
  readonly expectEnd: () => void;
  /** Watches it no longer, so that it does not keep this process from ending. */
  readonly forget: () => void;
};

type Common = { readonly name: string; readonly identity: Identity; readonly logFile: string };

/** A child: the kernel tells when it ends. `logOffset` is the log's size before it started. */
export function watchChild(child: ChildProcess, common: Common & { readonly logOffset: number }): RunningProcess {
  const ending = new AbortController();
  child.once('exit', (code, signal) => void report(ending, { ...common, status: signal ?? `exit code ${code}` }));
  return running(common, { adopted: false, gone: ending.signal, forget: () => child.unref(), expectEnd: () => undefined });
}

/**
 * A process that an earlier rfo started. Nothing tells a stranger that a process ended: Node has no pidfd, and the end of a pipe or lock that the
 * process inherited is inherited by its children too (containerd's shims, verified), who outlive it. So /proc is read: 8 µs four times a second.
 */
export function watchAdopted(common: Common): RunningProcess {
  const ending = new AbortController();
  const look = (): void => {
    if (isSame(common.identity, identify(common.identity.pid))) return;
    clearInterval(timer);
    void report(ending, { ...common, logOffset: 0, status: 'a status that only its parent knew' });
  };
  let timer = setInterval(look, lookEvery.running);
  const forget = (): void => clearInterval(timer);
  const expectEnd = (): void => {
    clearInterval(timer);
    if (!ending.signal.aborted) timer = setInterval(look, lookEvery.ending);
  };
  return running(common, { adopted: true, gone: ending.signal, forget, expectEnd });
}

function running(common: Common, own: Pick<RunningProcess, 'adopted' | 'gone' | 'forget' | 'expectEnd'>): RunningProcess {
  const { name, identity, logFile } = common;
  return { name, logFile, pid: identity.pid, identity, ...own, kill: (signal, scope) => kill(identity, signal, scope) };
}

function kill(identity: Identity, signal: NodeJS.Signals, scope: StopScope = 'process'): boolean {
  // The number may have been given to another process since: never signal on the number alone.
  if (!isSame(identity, identify(identity.pid))) return false;
  try {
    return process.kill(scope === 'group' ? -identity.pid : identity.pid, signal);
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return false;
    throw error;
  }
}

async function report(ending: AbortController, how: Common & { readonly logOffset: number; readonly status: string }): Promise<void> {
  ending.abort(await exitError(how));
}

async function exitError(how: Common & { readonly logOffset: number; readonly status: string }): Promise<RfoError> {
  const last = await lastLine(how.logFile, how.logOffset).catch((error: unknown) => `its log cannot be read: ${String(error)}`);
  return fail('process-failed', { name: how.name, status: how.status, output: last === '' ? '' : ` (${last})`, log: how.logFile });
}
