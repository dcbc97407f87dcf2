// Processes, components and what they run.
import type { ErrorEntry } from './entry.ts';

export const processErrors = {
  'cri-refused': {
    text: 'the container runtime is not ready: {problem}',
    cure: 'It mostly is a moment later; else its log says why',
    retryable: true,
    exit: 1,
  },
  'image-import-failed': {
    text: 'importing {archive} failed: {problem}',
    cure: 'Put a complete OCI or docker archive (.tar, .tar.gz, .tar.zst) there, or remove it',
    retryable: true,
    exit: 1,
  },
  'process-not-started': {
    text: '{name} cannot be started from {path}: {problem}',
    cure: 'Install it again, or free what it needs',
    retryable: false,
    exit: 1,
  },
  'process-stuck': {
    text: '{name} (pid {pid}) did not end, not even by SIGKILL',
    cure: 'The kernel holds it, mostly for storage that does not answer: see /proc/{pid}/stack',
    retryable: true,
    exit: 1,
  },
  'process-record-invalid': {
    text: '{file} is not a process record: {problem}',
    cure: 'End the process that it stands for, then remove the file',
    retryable: false,
    exit: 1,
  },
  'process-failed': { text: '{name} ended with {status}{output}', cure: 'Its log says why: {log}', retryable: true, exit: 1 },
  'component-need-failed': {
    text: '{name} cannot start: it needs {need}, which failed',
    cure: 'Cure {need} first: the log says what is wrong with it',
    retryable: false,
    exit: 1,
  },
  'component-stopped': { text: '{name} was stopped', cure: 'Start rfo again', retryable: true, exit: 1 },
  'component-unhealthy': {
    text: '{name} failed {times} health checks in a row: {problem}',
    cure: 'Its log says why: {log}',
    retryable: true,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
