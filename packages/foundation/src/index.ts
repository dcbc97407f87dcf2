export { Backoff, type BackoffOptions, retry } from './backoff.ts';
export { errorTable } from './error-table.ts';
export type { ErrorEntry } from './errors/entry.ts';
export { type ErrorCode, fail, RfoError, systemCode, toRfoError } from './errors.ts';
export { readFileIfExists, writeFileAtomic, writeFileIfChanged } from './files.ts';
export { freePorts } from './free-ports.ts';
export { Life } from './life.ts';
export { createLog, type Fields, type Level, type Log, type LogOptions, silentLog } from './log.ts';
export { type Clock, orAbort, sleep, systemClock } from './time.ts';
