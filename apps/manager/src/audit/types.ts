/** What the audit log holds: who did what, where, with which result. */

import type { Life } from '@rfo/foundation';

/** One change of an object: a JSON pointer (RFC 6901) and the values there; secret ones are masked. */
export type AuditChange = { readonly path: string; readonly from?: unknown; readonly to?: unknown };

/** What is told of one act. Never a secret: no password, no token but its public id, no content of a Secret. */
export type AuditRecord = {
  /** What was done: `create`, `patch`, `delete`, `exec`, `sign-in`, `sign-out`, … */
  readonly verb: string;
  /** `refused`: he may not. `failed`: he may, and it did not come about. */
  readonly result: 'done' | 'refused' | 'failed';
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** Code of the error table, where it was refused or failed here. */
  readonly code?: string | undefined;
  /** More for people to know. */
  readonly message?: string | undefined;
  /** `metadata.name` of the User. */
  readonly user?: string | undefined;
  readonly username?: string | undefined;
  /** Public id of the Token. */
  readonly token?: string | undefined;
  readonly provider?: string | undefined;
  /** Whom he acted as, having the right to impersonate. */
  readonly as?: { readonly user: string; readonly groups?: readonly string[] | undefined } | undefined;
  /** Address that the request came from, without port. */
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Where: a cluster behind the front door. Absent where it was done to the manager itself. */
  readonly cluster?: string | undefined;
  /** `deployments.apps`, `pods`, `users.rfo.io`. */
  readonly resource?: string | undefined;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** Path without query, where it is no object. */
  readonly path?: string | undefined;
  /** What was run by exec. */
  readonly command?: readonly string[] | undefined;
  readonly container?: string | undefined;
  readonly dryRun?: true | undefined;
  /** Of something that lasts there are two entries: when it began, and when it ended. */
  readonly stage?: 'begun' | 'ended' | undefined;
  readonly milliseconds?: number | undefined;
  /** What of the object is different now; `diffObjects` makes it. */
  readonly changes?: readonly AuditChange[] | undefined;
};

/** As it stands in the log. */
export type AuditEntry = AuditRecord & {
  /** There is no other with it. */
  readonly id: string;
  /** RFC 3339 in UTC, with milliseconds. */
  readonly time: string;
  /** The replica of the manager that wrote it. */
  readonly replica: string;
};

export type AuditQuery = {
  /** Name of the User, or his user name. */
  readonly user?: string | undefined;
  readonly cluster?: string | undefined;
  readonly verb?: string | undefined;
  /** Has to occur somewhere in the entry; case does not matter. */
  readonly text?: string | undefined;
  /** RFC 3339; both ends included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Most entries; all of them without. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type AuditState = {
  /** Entries that wait to be written. */
  readonly pending: number;
  /** Entries written since the start. */
  readonly written: number;
  /** Entries lost since the start: there was no room for them while nothing could be written. The log has an entry that tells the number. */
  readonly lost: number;
  /** Why the last attempt to write failed; undefined when it did not. */
  readonly problem: string | undefined;
};

export type AuditVerification = {
  readonly segments: number;
  readonly entries: number;
  /** Of each replica that has written: the first and last segment, and the hash of the last. Whoever keeps that elsewhere notices a shortened log. */
  readonly chains: readonly { readonly replica: string; readonly first: number; readonly last: number; readonly hash: string }[];
  /** What was changed, left out or put in; empty where nothing was. */
  readonly problems: readonly { readonly replica: string; readonly sequence: number; readonly problem: string }[];
};

export type Audit = {
  /** Takes an entry; it is in the Kubernetes API about a second later. Never throws and never waits. */
  readonly record: (record: AuditRecord) => void;
  /** Whether there is room for more. Where there is none, what has to be recorded must be refused: `audit-behind`. */
  readonly hasRoom: () => boolean;
  /** The entries that match, the newest first. */
  readonly search: (query: AuditQuery) => AsyncIterable<AuditEntry>;
  /** The same as lines of JSON, newline included. */
  readonly exportLines: (query: AuditQuery) => AsyncIterable<string>;
  /** Reads the whole log and tells whether anything in it was tampered with. */
  readonly verify: (options?: { readonly signal?: AbortSignal }) => Promise<AuditVerification>;
  readonly state: () => AuditState;
  /** Writes what is pending. Throws what the API says. */
  readonly flush: () => Promise<void>;
  /** Deletes what is older than the setting `audit-retention` until the life ends; what one replica alone does, for `electLeader`. */
  readonly retain: (life: Life) => Promise<void>;
};
