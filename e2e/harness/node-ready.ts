/** Whether a Node is Ready by the word of its kubelet of now: the condition stands on for 40 s when one has ended. */

/** Of a process, as `rfo` records it. */
export type Identity = {
  readonly pid: number;
  /** Hundredths of a second since this machine was booted, proc_pid_stat(5). */
  readonly startTime: string;
};
export type NodeObject = {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly lastHeartbeatTime?: string }[];
  };
};

/**
 * A kubelet tells its conditions when it starts, and then every five minutes and whenever they change.
 * @param started milliseconds of the clock; conditions carry whole seconds, so that one of the same second counts as its own
 */
export function isReadySince({ status }: NodeObject, started: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime ?? '') >= Math.floor(started / 1000) * 1000;
}

/**
 * When a process started, in milliseconds of the clock; up to a second too early.
 * @param stat content of /proc/stat, proc_stat(5), which knows the second in which this machine was booted
 */
export function startOf({ startTime }: Identity, stat: string): number {
  const booted = Number(/^btime (\d+)$/m.exec(stat)?.[1]);
  return booted * 1000 + Number(startTime) * 10;
}
