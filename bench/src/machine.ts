/** What a figure was measured on: without it no figure means anything to anybody else. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMB: number;
  readonly kernel: string;
  readonly node: string;
  /** Of the last minute: a busy machine measures its other work too. */
  readonly load: number;
};

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMB: Math.round(totalmem() / 1e6),
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}
