// Who somebody is: signing in, sessions, tokens, users and their passwords. Nothing here tells a stranger which part of what he sent was wrong.
import type { ErrorEntry } from './entry.ts';

export const managerIdentityErrors = {
  'not-signed-in': {
    text: 'this needs credentials and none came',
    cure: 'Sign in, or send a token that the manager made: "authorization: Bearer rfo_…"',
    retryable: false,
    exit: 2,
  },
  'credentials-refused': {
    text: 'the credentials are not accepted',
    cure: 'Check them; if they are right, the account or the token was taken back: ask an administrator',
    retryable: false,
    exit: 2,
  },
  'session-ended': {
    text: 'the time of this session or token is over',
    cure: 'Sign in again, or make a new token',
    retryable: false,
    exit: 2,
  },
  'csrf-refused': {
    text: 'the request came with the cookie of a session and does not show that its own page sent it',
    cure: 'Send the CSRF token of the session in the header x-rfo-csrf, from the address that the manager is reached at',
    retryable: false,
    exit: 2,
  },
  'sign-in-limited': {
    text: 'too many attempts to sign in have failed',
    cure: 'Try again in {seconds} s; an administrator ends the wait by setting a new password',
    retryable: true,
    exit: 1,
  },
  'sign-in-busy': {
    text: 'too many people sign in at this moment',
    cure: 'Try again in a few seconds',
    retryable: true,
    exit: 1,
  },
  'password-must-change': {
    text: 'this password was given for one sign-in only and has to be changed',
    cure: 'Send a new one together with it',
    retryable: false,
    exit: 2,
  },
  'password-weak': { text: 'the new password {problem}', cure: 'Choose another one', retryable: false, exit: 2 },
  'password-repetition': {
    text: 'the new password and its repetition differ',
    cure: 'Type both again',
    retryable: false,
    exit: 2,
  },
  'username-invalid': {
    text: '"{username}" cannot be the name of a user',
    cure: 'Use 1 to 64 letters, digits and . _ @ + -, beginning with a letter or a digit',
    retryable: false,
    exit: 2,
  },
  'username-taken': { text: 'there is a user "{username}" already', cure: 'Choose another name', retryable: false, exit: 2 },
  'user-unknown': { text: 'there is no user "{user}"', cure: 'rfo manager users lists them', retryable: false, exit: 2 },
  'access-token-unknown': { text: 'there is no token "{id}"', cure: 'rfo manager tokens lists them', retryable: false, exit: 2 },
  'access-token-wish': { text: 'such a token cannot be made: {problem}', cure: 'Ask for less', retryable: false, exit: 2 },
  'access-tokens-too-many': {
    text: 'a user may have {limit} tokens, and you have as many',
    cure: 'Delete some that you no longer need',
    retryable: false,
    exit: 2,
  },
} as const satisfies Record<string, ErrorEntry>;
