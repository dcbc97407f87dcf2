import type { Life, Log } from '@rfo/foundation';
import type { ProcessSpec, RunningProcess } from '@rfo/process';

/**
 * A part of the node. Its inputs are closed over by the function that makes it.
 *
 *                        ready() passes          check fails
 *  waiting ──► starting ────────────────► ready ─────────────► unhealthy
 *     │        ▲      │                   │   ▲  check passes   │   │
 *     │        │      │ process ends,     │   └─────────────────┘   │ three fail in a row,
 *     │        │      │ or an error       │ process ends            │ or process ends
 *     │        │      ▼ that may pass     ▼                         ▼
 *     │        └────────────────── restarting ◄─────────────────────┘
 *     │ a need   delay is over                  a changed configuration also leads here
 *     │ failed      │
 *     ▼             ▼ an error that stays          from every state
 *   failed ◄── (starting)                        stopping ──► stopped
 *     └──► starting: restart(), or the need came            └► released (process runs on)
 */
export type ComponentState = 'waiting' | 'starting' | 'ready' | 'unhealthy' | 'restarting' | 'stopping' | 'stopped' | 'released' | 'failed';

export type Component = ProcessComponent | TaskComponent;

/** A component that is a process of its own. */
export type ProcessComponent = {
  readonly kind: 'process';
  readonly name: string;
  /** Names of the components that must have been ready once before it starts. */
  readonly needs: readonly string[];
  /** The files it reads and how to run it; called before every start and by `reconcile`. */
  readonly render: () => Rendered | Promise<Rendered>;
  /** Called before a new process is started, not before one is adopted. */
  readonly beforeStart?: (signal: AbortSignal) => Promise<void>;
  /** Resolves when it can be used, adopted or started; must end when the context's signal aborts. */
  readonly ready: (context: ProcessContext) => Promise<void>;
  /** Throws when it is not well; asked every 20 s while it is well. */
  readonly health?: (context: ProcessContext) => Promise<void>;
  /** What a change needs; by default see `defaultChange`. A new binary always restarts. */
  readonly reconcile?: (previous: Rendered, next: Rendered) => Change;
  /** Whether the process runs on when rfo ends for a restart; `keep` by default. */
  readonly onRelease?: 'keep' | 'stop';
  /** No part of the node itself, which is ready without it and goes on when it fails. */
  readonly apart?: boolean;
};

/** A component that is work inside rfo. */
export type TaskComponent = {
  readonly kind: 'task';
  readonly name: string;
  readonly needs: readonly string[];
  /** Resolves when ready; what stays behind hangs on the context's life. Called again, with a new life, when it failed. */
  readonly run: (context: TaskContext) => Promise<void>;
};

export type Rendered = { readonly files: readonly RenderedFile[]; readonly process: ProcessSpec };
export type RenderedFile = {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** The process notices a change of it by itself: it needs neither reload nor restart, nor stands against adoption. */
  readonly hot?: boolean;
};
export type Change = 'none' | 'reload' | 'restart';

export type ProcessContext = {
  readonly process: RunningProcess;
  /** Aborts when the process ends or is to end, or when the check has lasted too long. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Says what is being waited for; users see it when it takes long. */
  readonly note: (problem: string) => void;
};

/** Why a task's life ends when the next rfo goes on at once: what the host shows to others may stay. */
export const released = new Error('released');

export type TaskContext = { readonly life: Life; readonly log: Log; readonly note: (problem: string) => void };
