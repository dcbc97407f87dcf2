// What a service manager is told of `rfo`.

export type UnitOptions = {
  readonly role: 'server' | 'agent' | 'ca';
  /** A server outside the cluster: no pods, and nothing that they need of the host. */
  readonly outside: boolean;
  /** Path of the program. */
  readonly program: string;
  /** What it is given after its role: without blanks and quotes. */
  readonly args: readonly string[];
  /** Folder of the CA. */
  readonly caDir: string;
  /** Seconds that it has to end; undefined: as long as this role takes. */
  readonly stopTimeout: number | undefined;
};

/** The usual places. */
export const unitDefaults = {
  outside: false,
  program: '/usr/local/bin/rfo',
  args: [],
  caDir: '/var/lib/rancher/rfo/ca',
  stopTimeout: undefined,
} as const;

/** The command line. */
export function commandOf({ role, outside, program, args, caDir }: UnitOptions): readonly string[] {
  if (role !== 'ca') return [program, role, ...(outside ? ['--disable-agent'] : []), ...args];
  return [program, 'ca', 'serve', ...(caDir === unitDefaults.caDir ? [] : [`--dir=${caDir}`]), ...args];
}

export function stopTimeoutOf({ role, stopTimeout }: UnitOptions): number {
  return stopTimeout ?? (role === 'ca' ? 30 : 90);
}
