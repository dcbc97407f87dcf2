/** Drives the process that sends the load. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Life, orAbort } from '@rfo/foundation';
import type { Load, Measured } from './load.ts';

export type Client = { readonly run: (load: Load) => Promise<Measured> };

export function startClient(life: Life): Client {
  const child = fork(new URL('./load.ts', import.meta.url), { execArgv: ['--disable-warning=ExperimentalWarning'] });
  life.defer(() => stop(child));
  return {
    run: async (load) => {
      const told = once(child, 'message', { signal: life.signal });
      child.send(load);
      const [{ measured, problem }] = (await orAbort(told, life.signal)) as [{ measured?: Measured; problem?: string }];
      if (measured === undefined) throw new Error(`the load failed: ${problem}`);
      return measured;
    },
  };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await exited;
}
