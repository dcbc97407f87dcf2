/** How far agents have taken what the manager says of itself. */
import type { AgentSettings } from '@rfo/schema';
import type { Objects } from '../objects/open-objects.ts';
import type { SettingsProgress } from './connections.ts';
import { localCluster } from './local-session.ts';
import type { Sessions } from './sessions.ts';

/**
 * A cluster counts as moved when an agent of it, on any replica, has kept the values of now; all agents of a cluster keep them in one place. One whose
 * agents were never here is not waited for: its manifest will hold the values of then.
 */
export function settingsProgress(input: {
  readonly objects: Pick<Objects, 'clusters'>;
  readonly sessions: Pick<Sessions, 'of'>;
  readonly wanted: AgentSettings | undefined;
}): SettingsProgress {
  const { objects, sessions, wanted } = input;
  const names = objects.clusters.list().flatMap(({ metadata: { name, deletionTimestamp }, status }) => {
    const known = status?.agent?.lastSeen !== undefined || sessions.of(name).length > 0;
    return name === localCluster || deletionTimestamp !== undefined || !known ? [] : [name];
  });
  const hasMoved = (name: string): boolean =>
    wanted !== undefined && sessions.of(name).some((session) => session.settings() === wanted.hash);
  const waiting = names.filter((name) => !hasMoved(name)).sort();
  return { total: names.length, moved: names.length - waiting.length, waiting };
}
