// Those outside who vouch for users: their settings, and what signing in by them meets.
import type { ErrorEntry } from './entry.ts';

export const managerProviderErrors = {
  'provider-settings': {
    text: 'the settings of the provider "{provider}" cannot be used: {problem}',
    cure: '{cure}',
    retryable: false,
    exit: 2,
  },
  'provider-unreachable': {
    text: 'the provider "{provider}" cannot be asked: {problem}',
    cure: 'Check its address, its CA and its proxy from the host of the manager; rfo manager providers test {provider} tries it',
    retryable: true,
    exit: 1,
  },
  'provider-secret-elsewhere': {
    text: 'the secret of the provider "{provider}" would be sent to another place, or by another way',
    cure: 'Give the secret with the change: --secret-file',
    retryable: false,
    exit: 2,
  },
  'provider-unknown': {
    text: 'nobody can sign in by a provider "{provider}"',
    cure: 'rfo manager providers list shows those there are; they have to be enabled',
    retryable: false,
    exit: 2,
  },
  'provider-refused': {
    text: 'the provider "{provider}" does not vouch for you: {problem}',
    cure: 'Sign in again; if it stays so, an administrator finds the reason in the log',
    retryable: false,
    exit: 2,
  },
  'provider-not-allowed': {
    text: 'the provider "{provider}" knows you as {username}, who is not among those who may sign in here',
    cure: 'Ask an administrator to name you or one of your groups in the provider',
    retryable: false,
    exit: 2,
  },
  'sign-in-lost': {
    text: 'this sign-in was not begun in this browser, or took longer than ten minutes',
    cure: 'Begin it again',
    retryable: false,
    exit: 2,
  },
  'sign-in-code-refused': {
    text: 'this code of a sign-in in a browser is wrong, used or too old',
    cure: 'Sign in again',
    retryable: false,
    exit: 2,
  },
  'sign-in-form': { text: 'this is not what the page for signing in sends: {problem}', cure: 'Begin it again', retryable: false, exit: 2 },
} as const satisfies Record<string, ErrorEntry>;
