/** Drives a process that sends load. */
import { once } from 'node:events';
import { type Life, orAbort } from '@rfo/foundation';
import { forkFor } from './child.ts';

/**
 * Starts a module that answers by `serveLoads`; it ends with the life.
 * @param flags of its Node
 * @returns a function that has it send a load and gives what it measured; throws what went wrong there, and the reason of the life
 */
export function startLoad<Load extends object, Measured>(
  module: URL,
  life: Life,
  flags: readonly string[] = [],
): (load: Load) => Promise<Measured> {
  const child = forkFor(module, life, flags);
  return async (load) => {
    const told = once(child, 'message', { signal: life.signal });
    child.send(load);
    const [{ measured, problem }] = (await orAbort(told, life.signal)) as [{ measured?: Measured; problem?: string }];
    if (measured === undefined) throw new Error(`the load failed: ${problem}`);
    return measured;
  };
}
