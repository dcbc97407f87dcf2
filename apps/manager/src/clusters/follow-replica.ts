/** The sessions that another replica holds, kept among ours for as long as it is connected. */
import { isDeepStrictEqual } from 'node:util';
import type { Log } from '@rfo/foundation';
import { readJsonLines, type Tunnel } from '@rfo/tunnel';
import { longestReplicaLine, parseReplicaLine, type ReplicaReport, type ReportedSession, replicaPath } from './replica-protocol.ts';
import type { Session, Sessions } from './sessions.ts';

type Kept = { reported: ReportedSession; readonly remove: () => void };

/** Ends with the tunnel, and ends the tunnel where the other replica says what cannot be understood. */
export async function followReplica(input: {
  readonly tunnel: Tunnel;
  readonly replica: string;
  readonly sessions: Sessions;
  /** Called when all that it holds at first is known. */
  readonly onComplete: () => void;
  readonly log: Log;
}): Promise<void> {
  const { tunnel, replica, sessions, onComplete, log } = input;
  const clusters = new Map<string, Map<string, Kept>>();
  try {
    const { status, body } = await tunnel.ask(replicaPath);
    if (status !== 200) throw new Error(`it answers ${status}`);
    for await (const text of readJsonLines(body, { limit: longestReplicaLine })) {
      const line = parseReplicaLine(text);
      if ('complete' in line) onComplete();
      else apply(line);
    }
  } catch (error) {
    log.warn('another replica is not heard any more', { replica, error });
  } finally {
    tunnel.close();
    for (const kept of clusters.values()) for (const { remove } of kept.values()) remove();
  }

  function apply({ cluster, sessions: reported, problem }: ReplicaReport): void {
    const kept = clusters.get(cluster) ?? new Map<string, Kept>();
    clusters.set(cluster, kept);
    for (const [id, { remove }] of kept) {
      if (reported.some((each) => each.id === id)) continue;
      kept.delete(id);
      remove();
    }
    for (const each of reported) {
      const known = kept.get(each.id);
      if (known === undefined) kept.set(each.id, keep(cluster, each));
      // The same object as long as nothing has changed: other credentials mean other connections.
      else if (!isDeepStrictEqual(known.reported, each)) {
        if (isDeepStrictEqual(known.reported.credentials, each.credentials)) each.credentials = known.reported.credentials;
        known.reported = each;
        sessions.touch(cluster);
      }
    }
    if (kept.size === 0) {
      clusters.delete(cluster);
      if (problem !== undefined) sessions.report(cluster, problem);
    }
  }

  function keep(cluster: string, reported: ReportedSession): Kept {
    const mine: { reported: ReportedSession; remove: () => void } = { reported, remove: () => undefined };
    const session: Session = {
      ...{ cluster, replica, via: reported.via, version: reported.version, since: reported.since, apiServer: reported.apiServer },
      credentials: () => mine.reported.credentials as ReturnType<Session['credentials']>,
      settings: () => mine.reported.settings,
      open: (signal) => tunnel.connect({ host: cluster, port: 443 }, { signal }),
      end: () => undefined,
    };
    mine.remove = sessions.add(session);
    return mine;
  }
}
