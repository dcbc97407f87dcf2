/**
 * Asks the API servers whether they can serve. A tunnel tells whether a server lives; but one that is cut off from the other servers, or whose
 * etcd hangs, lives and accepts connections, and keeps whoever comes waiting.
 */

import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { type Life, type Log, sleep } from '@rfo/foundation';
import type { LoadBalancer } from '@rfo/proxy';
import { ServerAgent } from '../join/server-agent.ts';

export type ApiWatch = {
  readonly balancer: Pick<LoadBalancer, 'active' | 'states'>;
  readonly report: LoadBalancer['report'];
  /** What the node shows to servers, and the CA that it knows them by. */
  readonly files: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly life: Life;
  readonly log: Log;
  readonly pace?: ApiWatchPace;
};

/** Milliseconds. */
export type ApiWatchPace = {
  /** From an answer to the next question, to the server in use; while it does not say yes; to those that failed. */
  readonly every: number;
  readonly inDoubt: number;
  readonly failed: number;
  /** For an answer. */
  readonly within: number;
  /** It is left when it has not said yes for so long: an election of etcd, which takes all servers with it, is over by then. */
  readonly patience: number;
};
const usualPace: ApiWatchPace = { every: 1_000, inDoubt: 250, failed: 3_000, within: 1_500, patience: 2_500 };

/**
 * Until its life ends: reports the server in use as failed when it is not ready for a while and another one is. Where none is, connections stay
 * where they are. One that failed is asked again until it is ready.
 */
export function watchApiServers(options: ApiWatch): void {
  const { balancer, report, files, log, pace = usualPace } = options;
  const life = options.life.child();
  const { signal } = life;
  const asker = readinessAsker(files, pace.within);
  life.defer(asker.close);
  let doubt: { readonly server: string; readonly since: number } | undefined;

  /** Gives the milliseconds until it is to be looked at again. */
  const lookAtActive = async (): Promise<number> => {
    const active = balancer.active();
    if (active === undefined) return pace.every;
    const begun = performance.now();
    const problem = await asker.problemOf(active, signal);
    if (problem === undefined) {
      doubt = undefined;
      return pace.every;
    }
    if (doubt?.server !== active) doubt = { server: active, since: begun };
    if (performance.now() - doubt.since >= pace.patience) await leave(active, problem);
    return pace.inDoubt;
  };
  const leave = async (active: string, problem: string): Promise<void> => {
    const servers = balancer.states().map(({ server }) => server);
    const others = servers.filter((server) => server !== active);
    const answers = await Promise.all(
      others.map(async (server) => ({ server, ready: (await asker.problemOf(server, signal)) === undefined })),
    );
    if (signal.aborted || !answers.some(({ ready }) => ready)) return;
    log.warn('an API server cannot serve, and another can', { server: active, problem });
    for (const { server, ready } of answers) report(server, ready ? 'healthy' : 'failed');
    report(active, 'failed');
  };
  const lookAtFailed = async (): Promise<void> => {
    const failed = balancer.states().filter(({ server, state }) => state === 'failed' && server !== balancer.active());
    await Promise.all(
      failed.map(async ({ server }) => {
        if ((await asker.problemOf(server, signal)) === undefined) report(server, 'healthy');
      }),
    );
  };
  const loop = async (look: () => Promise<number>): Promise<void> => {
    while (!signal.aborted) {
      const wait = await look();
      await sleep(wait, signal).catch(() => undefined);
    }
  };
  const loops = [loop(lookAtActive), loop(async () => lookAtFailed().then(() => pace.failed))];
  life.defer(() => Promise.all(loops).then(() => undefined));
}

type Asker = {
  /** Why a server is not ready; undefined when it is. */
  readonly problemOf: (server: string, signal: AbortSignal) => Promise<string | undefined>;
  readonly close: () => void;
};

function readinessAsker(files: ApiWatch['files'], within: number): Asker {
  let agent: ServerAgent | undefined;
  const open = async (): Promise<ServerAgent> => {
    const [ca, cert, key] = await Promise.all([files.ca, files.cert, files.key].map((file) => readFile(file, 'utf8')));
    return new ServerAgent({ ca: ca ?? '', clientCertificate: { cert: cert ?? '', key: key ?? '' } });
  };
  const renew = (): void => {
    agent?.destroy();
    agent = undefined;
  };
  return {
    problemOf: async (server, signal) => {
      try {
        agent ??= await open();
        const status = await askReadiness(server, agent, AbortSignal.any([signal, AbortSignal.timeout(within)]));
        // Its certificate may have been renewed.
        if (status === 401) renew();
        // Who is refused was answered.
        return status < 500 ? undefined : `it answers ${status}`;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    close: renew,
  };
}

function askReadiness(server: string, agent: ServerAgent, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL('/readyz', `https://${server}`), { agent, signal }, (response) => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}
