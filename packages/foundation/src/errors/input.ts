// What a user gave: flags, keys, files, arguments.
import type { ErrorEntry } from './entry.ts';

export const inputErrors = {
  'config-unknown-key': { text: 'unknown key "{key}" in {where}', cure: '{suggestion}', retryable: false, exit: 2 },
  'config-invalid': { text: '{key} in {where}: {problem}', cure: '{cure}', retryable: false, exit: 2 },
  'config-unreadable': {
    text: 'cannot read {file}: {problem}',
    cure: 'Give a readable YAML file of "key: value" lines',
    retryable: false,
    exit: 2,
  },
  'file-unusable': { text: 'cannot use {file}: {problem}', cure: '{cure}', retryable: false, exit: 2 },
  'output-unwritable': {
    text: 'cannot write {file}: {problem}',
    cure: 'Name a file in a folder that is there and may be written to',
    retryable: false,
    exit: 2,
  },
  'flag-unknown': { text: 'unknown flag {flag} of rfo {command}', cure: '{suggestion}', retryable: false, exit: 2 },
  'argument-unexpected': { text: 'rfo {command} does not take "{argument}"', cure: 'See: rfo {command} --help', retryable: false, exit: 2 },
  'argument-missing': { text: 'rfo {command} needs {what}', cure: 'See: rfo {command} --help', retryable: false, exit: 2 },
  'command-unknown': { text: 'unknown command "{command}"', cure: '{suggestion}', retryable: false, exit: 2 },
} as const satisfies Record<string, ErrorEntry>;
