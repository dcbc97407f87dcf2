/** Starts the agent: its health page, and its session with the manager or the watch for the moment in which it is needed. */
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import type { ClusterAgentConfig } from '@rfo/schema';
import { answerTokens } from './answer-tokens.ts';
import { serveHealth } from './health.ts';
import { type KeptSession, keepSession } from './keep-session.ts';
import { createAgentSecret } from './secret.ts';
import { openServiceAccount } from './service-account.ts';
import { standIn } from './stand-in.ts';

export type RunningAgent = {
  readonly healthPort: number;
  readonly connected: () => boolean;
};

/**
 * It ends with the life.
 * @throws agent-settings, and what the system says to the port of the health page
 */
export async function bootAgent(options: {
  readonly config: Pick<ClusterAgentConfig, 'via' | 'health-port' | 'service-account-dir'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly life: Life;
  readonly log: Log;
}): Promise<RunningAgent> {
  const { config, environment, clock = systemClock, life, log } = options;
  const { via } = config;
  const account = await openServiceAccount({ environment, folder: config['service-account-dir'], life, log });
  const secret = createAgentSecret(account.client);
  const instance = environment.POD_NAME ?? environment.HOSTNAME ?? 'unknown';
  const node = environment.NODE_NAME;
  const start = (own: Life, onState: (connected: boolean) => void = () => undefined): KeptSession =>
    keepSession({ account, secret, via, instance, node, environment, clock, life: own, log, onState });
  const session =
    via === 'node' ? standIn({ client: account.client, identity: instance, keepSession: start, life, log }).session : always(start(life));
  if (via === 'node') answerTokens({ client: account.client, node, clock, life, log });
  const health = {
    ready: () => session()?.connected() ?? false,
    explain: () => {
      const problem = session()?.problem();
      return problem === undefined ? 'not connected' : `${problem.reason}: ${problem.message}`;
    },
  };
  // On the network of a host nobody but the host is to see it.
  const healthPort = await serveHealth({ host: via === 'node' ? '127.0.0.1' : undefined, port: config['health-port'], health, life });
  return { healthPort, connected: health.ready };
}

function always<T>(value: T): () => T {
  return () => value;
}
