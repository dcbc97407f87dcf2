/** Renders the command that runs something inside a host: first into its cgroups, then into its namespaces. */
export type EnterInputs = {
  /** Process 1 of the host, by its number out here. */
  readonly init: number;
  /** `cgroup.procs` files of the host. */
  readonly cgroups: readonly string[];
};

/** The cgroups come first: nsenter would leave the process in the caller's, and its memory and CPU would be billed there. */
export function renderEnter({ init, cgroups }: EnterInputs, command: readonly string[]): readonly string[] {
  return joinCgroups(cgroups, withoutClock(['nsenter', '-t', String(init), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...command]));
}

/** Runs `command` without the right to set the clock, which is this machine's and no namespace hides. */
export function withoutClock(command: readonly string[]): readonly string[] {
  return ['setpriv', '--bounding-set=-sys_time', ...command];
}

/** Runs `command` as a member of these cgroups. */
export function joinCgroups(cgroups: readonly string[], command: readonly string[]): readonly string[] {
  const script = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1"; shift; n=$((n - 1)); done; exec "$@"';
  return ['sh', '-ec', script, 'sh', String(cgroups.length), ...cgroups, ...command];
}
