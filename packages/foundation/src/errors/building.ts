// Building, and the machine that tests run on.
import type { ErrorEntry } from './entry.ts';

export const buildingErrors = {
  'lab-order': { text: '{problem}', cure: '{cure}', retryable: false, exit: 2 },
  'tool-missing': { text: '{what} is missing', cure: '{cure}', retryable: false, exit: 3 },
  'component-unknown': { text: 'no component is called "{name}"', cure: 'Choose from: {known}', retryable: false, exit: 2 },
  'arch-unknown': { text: 'nothing can be built for the architecture "{arch}"', cure: 'Choose from: {known}', retryable: false, exit: 2 },
  'module-unreadable': {
    text: 'Go cannot read the module {module}: {problem}',
    cure: 'Check the network and the GOPROXY setting',
    retryable: true,
    exit: 1,
  },
  'build-failed': { text: 'building {name} failed:\n{tail}\n', cure: 'The whole log: {log}', retryable: true, exit: 1 },
  'host-packages-failed': {
    text: 'installing host packages failed: {problem}',
    cure: 'Install them by hand and start again: {command}',
    retryable: true,
    exit: 3,
  },
} as const satisfies Record<string, ErrorEntry>;
