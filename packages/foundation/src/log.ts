/** A structured log: one line an event, `time level part message key=value…` for people or JSON for machines. */
export type Level = 'debug' | 'info' | 'warn' | 'error';
export type Fields = Readonly<Record<string, unknown>>;
export type Log = {
  readonly debug: (message: string, fields?: Fields) => void;
  readonly info: (message: string, fields?: Fields) => void;
  readonly warn: (message: string, fields?: Fields) => void;
  readonly error: (message: string, fields?: Fields) => void;
  /** The same log under another part's name. */
  readonly part: (name: string) => Log;
};
export type LogOptions = {
  readonly write: (line: string) => void;
  readonly format?: 'text' | 'json';
  readonly level?: Level;
  readonly part?: string;
  readonly now?: () => Date;
};

const rank = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<Level, number>;

export function createLog(options: LogOptions): Log {
  const { write, format = 'text', level = 'info', part = 'rfo', now = () => new Date() } = options;
  const render = format === 'json' ? renderJson : renderText;
  const at =
    (own: Level) =>
    (message: string, fields: Fields = {}): void => {
      if (rank[own] >= rank[level]) write(`${render(now(), own, part, message, fields)}\n`);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    part: (name) => createLog({ ...options, part: name }),
  };
}

/** A log that goes nowhere, for callers that do not care. */
export const silentLog: Log = createLog({ write: () => undefined });

function renderText(time: Date, level: Level, part: string, message: string, fields: Fields): string {
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${quote(plain(value))}`)
    .join('');
  return `${time.toISOString()} ${level.padEnd(5)} ${part}: ${message.replaceAll('\n', '\\n')}${rest}`;
}

function renderJson(time: Date, level: Level, part: string, message: string, fields: Fields): string {
  const values = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? plain(value) : value]));
  return JSON.stringify({ ...values, time: time.toISOString(), level, part, message });
}

function plain(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function quote(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
