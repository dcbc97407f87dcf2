/** What a process is before it runs: pure data, so that two of them can be compared and one can be written to disk. */
export type ProcessSpec = {
  readonly name: string;
  /** The program, absolute. */
  readonly path: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited (see `childEnvironment`). */
  readonly env: Readonly<Record<string, string>>;
  /** Folder to run in; `/` by default. */
  readonly cwd?: string;
  /** Standard output and error are appended here by the process itself, so its log goes on while rfo is away. */
  readonly logFile: string;
  /** `run/processes/<name>.json`: what the next rfo adopts it by. */
  readonly recordFile: string;
  /** Hash of the files the process has read and cannot read again; another hash means that it must be replaced. */
  readonly inputsHash?: string;
  /** Asks it to end; SIGTERM by default. */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds between the stop signal and SIGKILL; 10000 by default. */
  readonly stopGrace?: number;
  /** Whom the signals reach: `process` (default) spares its children, as containerd's shims must be spared; `group` is the process and its children. */
  readonly stopScope?: StopScope;
  /** Makes it read its files again, where it can. */
  readonly reloadSignal?: NodeJS.Signals;
  /** oom_score_adj, -1000 to 1000. */
  readonly oomScore?: number;
};

export type StopScope = 'process' | 'group';
