/**
 * Every error a user can meet: a stable code, one sentence that says what is wrong, one that says what to do about it.
 * `{name}` in a text is filled from the parameters of `fail`; a missing parameter is a type error.
 * `exit` is the exit code of a command that ends with the error (2: wrong input, 3: the host is not ready, 1: the rest).
 */
export type ErrorEntry = { readonly text: string; readonly cure: string; readonly retryable: boolean; readonly exit: 1 | 2 | 3 };

export const errorTable = {
  'internal': { text: '{what}', cure: 'This is a defect of RFO: report it with the log', retryable: false, exit: 1 },
  'config-unknown-key': { text: 'unknown key "{key}" in {where}', cure: '{suggestion}', retryable: false, exit: 2 },
  'config-invalid': { text: '{key} in {where}: {problem}', cure: '{cure}', retryable: false, exit: 2 },
  'config-unreadable': {
    text: 'cannot read {file}: {problem}',
    cure: 'Give a readable YAML file of "key: value" lines',
    retryable: false,
    exit: 2,
  },
  'flag-unknown': { text: 'unknown flag {flag} of rfo {command}', cure: '{suggestion}', retryable: false, exit: 2 },
  'command-unknown': { text: 'unknown command "{command}"', cure: '{suggestion}', retryable: false, exit: 2 },
  'not-root': { text: '{what} needs root', cure: 'Run it as root, for example with sudo', retryable: false, exit: 3 },
  'process-failed': { text: '{name} ended with {status}{output}', cure: 'Its log says why: {log}', retryable: true, exit: 1 },
  'timeout': { text: '{what} did not happen within {seconds} s', cure: '{cure}', retryable: true, exit: 1 },
} as const satisfies Record<string, ErrorEntry>;
