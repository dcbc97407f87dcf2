export { assertClean, remains } from './assert-clean.ts';
export type { Slowness } from './faults.ts';
export type { FullHost } from './full-host.ts';
export type { Host } from './host.ts';
export { createLab, type FullHostOptions, type HostOptions, type Lab, type LabTrace, openLab, repository } from './lab.ts';
export { reapDeadLabs, reapLab } from './reap.ts';
export { commandFailed, lastLines, must, type RunOptions, type RunResult, run } from './run.ts';
export type { Service } from './service.ts';
