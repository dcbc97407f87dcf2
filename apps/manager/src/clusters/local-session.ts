/** The cluster that the manager runs in, as if it had an agent. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { createCredentialReader, type KubeClientOptions } from '@rfo/kube';
import type { Session } from './sessions.ts';

export const localCluster = 'local';

/** Milliseconds for its API server to accept. */
const connectWithin = 10_000;

/** @param options.api as for `createKubeClient`; it needs a CA and either a token or a certificate */
export function localSession({
  api,
  version,
  now,
}: {
  readonly api: KubeClientOptions;
  readonly version: string;
  readonly now: () => number;
}): Session {
  const reader = createCredentialReader(api);
  const { hostname, port } = new URL(api.server);
  const host = hostname.replace(/^\[|\]$/g, '');
  let last: ReturnType<Session['credentials']> | undefined;
  let read: unknown;
  return {
    cluster: localCluster,
    via: 'local',
    version,
    since: now(),
    apiServer: api.server,
    credentials: () => {
      const current = reader.current();
      if (last === undefined || current !== read) last = { ca: '', ...current };
      read = current;
      return last;
    },
    open: (signal) => openTcp({ host, port: Number(port || 443), signal }),
    settings: () => undefined,
    end: () => undefined,
  };
}

function openTcp(input: { readonly host: string; readonly port: number; readonly signal: AbortSignal }): Promise<Duplex> {
  const { host, port } = input;
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(connectWithin)]);
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
  // Stays: whoever uses the stream hears of the error as well.
  socket.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      signal.removeEventListener('abort', abort);
      socket.off('error', failed);
      then();
    };
    const failed = (error: unknown): void => {
      settle(() => reject(error));
      socket.destroy();
    };
    const abort = (): void => failed(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', failed).once('connect', () => settle(() => resolve(socket)));
    if (signal.aborted) abort();
  });
}
