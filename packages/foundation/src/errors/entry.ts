/**
 * An error that a user can meet: one sentence that says what is wrong, one that says what to do about it.
 * `{name}` in a text is filled from the parameters of `fail`; a missing parameter is a type error.
 * `exit` is the exit code of a command that ends with the error (2: wrong input, 3: the host is not ready, 1: the rest).
 */
export type ErrorEntry = { readonly text: string; readonly cure: string; readonly retryable: boolean; readonly exit: 1 | 2 | 3 };
