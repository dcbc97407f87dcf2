import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 keep its heap small rather than fast, for a process that stays: measured on a server after its start, 31 MB of anonymous memory
 * instead of 41, at the same start time. Before the bulk of the code is loaded, as functions that are compiled already stay so.
 */
export function trimHeap(): void {
  setFlagsFromString('--max-semi-space-size=1');
  setFlagsFromString('--optimize-for-size');
}
