/** What the builds tell while they run, and what a terminal shows of it: events → state → lines, all of it pure. */
export type BuildEvent =
  | { readonly type: 'planned'; readonly current: readonly string[]; readonly stale: readonly string[] }
  | { readonly type: 'started'; readonly name: string }
  | { readonly type: 'step'; readonly name: string; readonly text: string }
  /** A Go package was compiled; `expected` is how many there are when nothing is in Go's cache. */
  | { readonly type: 'compiled'; readonly name: string; readonly packages: number; readonly expected: number }
  | { readonly type: 'built'; readonly name: string; readonly seconds: number; readonly bytes: number }
  | { readonly type: 'failed'; readonly name: string }
  | { readonly type: 'bundled'; readonly id: string; readonly path: string; readonly changed: boolean };

export type Report = (event: BuildEvent) => void;

export type RunningPart = {
  readonly name: string;
  readonly since: number;
  readonly text: string;
  readonly packages: number;
  readonly expected: number;
};
export type Progress = {
  readonly total: number;
  readonly ready: number;
  readonly waiting: readonly string[];
  readonly running: readonly RunningPart[];
};

export const noProgress: Progress = { total: 0, ready: 0, waiting: [], running: [] };

/** The state after an event. `now` in milliseconds. */
export function advance(state: Progress, event: BuildEvent, now: number): Progress {
  switch (event.type) {
    case 'planned': {
      const total = event.current.length + event.stale.length;
      return { total, ready: event.current.length, waiting: event.stale, running: [] };
    }
    case 'started': {
      const part = { name: event.name, since: now, text: 'starting', packages: 0, expected: 0 };
      return { ...state, waiting: state.waiting.filter((name) => name !== event.name), running: [...state.running, part] };
    }
    case 'step':
      return change(state, event.name, { text: event.text, packages: 0, expected: 0 });
    case 'compiled':
      return change(state, event.name, { packages: event.packages, expected: event.expected });
    case 'built':
      return { ...state, ready: state.ready + 1, running: without(state, event.name) };
    case 'failed':
      return { ...state, running: without(state, event.name) };
    case 'bundled':
      return state;
  }
}

/** The live lines of a terminal: one per running part, one of what remains; none when nothing runs. */
export function renderProgress(state: Progress, now: number, columns: number): string[] {
  if (state.running.length === 0) return [];
  const width = Math.max(...state.running.map(({ name }) => name.length));
  const running = state.running.map((part) => {
    const of = part.expected > 0 ? `, ${part.packages} of ${part.expected} packages` : '';
    return `  ${part.name.padEnd(width)}  ${duration((now - part.since) / 1000).padStart(8)}  ${part.text}${of}`;
  });
  const remains = state.waiting.length === 0 ? '' : `, then ${state.waiting.join(', ')}`;
  return [...running, `  ${state.ready} of ${state.total} parts are ready${remains}`].map((line) => cut(line, columns));
}

/** The line that stays, on a terminal and in a plain log alike; undefined for events that only the live lines show. */
export function renderEvent(event: BuildEvent): string | undefined {
  switch (event.type) {
    case 'planned':
      return event.stale.length === 0
        ? undefined
        : `building ${event.stale.join(', ')}${event.current.length === 0 ? '' : ` (${event.current.length} parts are up to date)`}`;
    case 'started':
      return `${event.name}: building`;
    case 'built':
      return `${event.name}: built in ${duration(event.seconds)}, ${megabytes(event.bytes)}`;
    case 'failed':
      return `${event.name}: failed`;
    case 'bundled':
      return event.changed ? `bundle ${event.id} is ready in ${event.path}` : undefined;
    case 'step':
    case 'compiled':
      return undefined;
  }
}

/** `7 s`, `4 m 52 s`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} m ${String(whole % 60).padStart(2, '0')} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function change(state: Progress, name: string, values: Partial<RunningPart>): Progress {
  return { ...state, running: state.running.map((part) => (part.name === name ? { ...part, ...values } : part)) };
}

function without(state: Progress, name: string): readonly RunningPart[] {
  return state.running.filter((part) => part.name !== name);
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`;
}
