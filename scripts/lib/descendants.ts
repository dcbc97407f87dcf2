import { readdirSync, readFileSync } from 'node:fs';
import { systemCode } from '@rfo/foundation';

/** A process that cannot be confused with a later one of the same number. */
export type Descendant = { readonly pid: number; readonly start: string };
type Stat = Descendant & { readonly parent: number; readonly session: string };

/**
 * What this process has started, and what that has started, as far as it is in the same session: a program that left it has somebody of its own
 * who ends it, such as the keeper of a lab.
 */
export function findDescendants(): readonly Descendant[] {
  const own = readStat(process.pid);
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : []));
  const below = (parent: number): readonly Stat[] =>
    all.flatMap((each) => (each.parent === parent && each.session === own?.session ? [each, ...below(each.pid)] : []));
  return below(process.pid);
}

/** Ends those that still run, by SIGKILL. */
export function endAll(descendants: readonly Descendant[]): void {
  for (const { pid, start } of descendants) {
    if (readStat(pid)?.start !== start) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (systemCode(error) !== 'ESRCH') throw error;
    }
  }
}

/** proc_pid_stat(5); undefined when there is no such process. */
function readStat(pid: number): Stat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in field 2 may hold spaces and brackets; field 3 comes after its last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(fields[1]), session: fields[3] ?? '', start: fields[19] ?? '' };
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ESRCH') return undefined;
    throw error;
  }
}
