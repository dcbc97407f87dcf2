import { isDeepStrictEqual } from 'node:util';
import { processOf } from './apply-rendered.ts';
import type { Change, Rendered } from './component.ts';

/**
 * What a change needs where the component does not say: other arguments or environment restart; other files reload where the process has a reload
 * signal, else restart; hot files, and settings that concern only us (stop signal, log file), need nothing.
 */
export function defaultChange(previous: Rendered, next: Rendered): Change {
  const command = ({ process: { path, args, env, cwd = '/' } }: Rendered) => ({ path, args, env, cwd });
  if (!isDeepStrictEqual(command(previous), command(next))) return 'restart';
  if (processOf(previous).inputsHash === processOf(next).inputsHash) return 'none';
  return next.process.reloadSignal === undefined ? 'restart' : 'reload';
}
