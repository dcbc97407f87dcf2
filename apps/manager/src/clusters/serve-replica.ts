/** What this replica offers to another one: its own sessions, told as they come and go, and streams by them. */
import type { ServerHttp2Stream } from 'node:http2';
import type { CreateService, Target } from '@rfo/tunnel';
import { localCluster } from './local-session.ts';
import type { ReplicaReport } from './replica-protocol.ts';
import { replicaPath } from './replica-protocol.ts';
import type { Session, Sessions } from './sessions.ts';

/** Answers `GET /v1/sessions` with one JSON line for each cluster that has sessions here, then `complete`, and another whenever that changes. */
export function replicaService(sessions: Sessions): CreateService {
  return () => ({
    accepted: Promise.resolve(),
    serve: (stream, headers) => {
      if (headers[':path'] !== replicaPath) return stream.respond({ ':status': 404 }, { endStream: true });
      stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' });
      follow(stream, sessions);
    },
  });
}

/** A stream to the API server of the cluster that the target names, by a session of this replica alone. */
export function reachCluster(sessions: Sessions, signal: AbortSignal) {
  return async ({ host }: Target) => (await sessions.open(host, { own: true, signal })).stream;
}

function follow(stream: ServerHttp2Stream, sessions: Sessions): void {
  const told = new Set<string>();
  const tell = (cluster: string): void => {
    const report = reportOf(cluster, sessions);
    if (cluster === localCluster || (report.sessions.length === 0 && report.problem === undefined && !told.has(cluster))) return;
    told.add(cluster);
    stream.write(`${JSON.stringify(report)}\n`);
  };
  for (const cluster of sessions.clusters()) tell(cluster);
  stream.write(`${JSON.stringify({ complete: true })}\n`);
  const end = sessions.onChange(tell);
  stream.once('close', end);
}

function reportOf(cluster: string, sessions: Sessions): ReplicaReport {
  const own = sessions.of(cluster).filter(({ replica }) => replica === undefined);
  const { problem } = sessions.state(cluster);
  return { cluster, sessions: own.map(describe), ...(problem && { problem }) };
}

const ids = new WeakMap<Session, string>();
let count = 0;

function describe(session: Session): ReplicaReport['sessions'][number] {
  const { via, version, since, apiServer } = session;
  const { ca, token } = session.credentials();
  const settings = session.settings();
  const id = ids.get(session) ?? String(count++);
  ids.set(session, id);
  return { id, via, version, since, apiServer, ...(settings && { settings }), credentials: { ca, ...(token && { token }) } };
}
