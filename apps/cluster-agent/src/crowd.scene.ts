/**
 * Run by the benchmark of the manager: the agents of many clusters in one process, each with its own session and token. What an agent keeps in a Secret
 * of its cluster is kept in memory here, because all these clusters have one API server.
 */
import { Life, silentLog, systemClock } from '@rfo/foundation';
import type { AgentSettings } from '@rfo/schema';
import { keepSession } from './keep-session.ts';
import type { AgentSecret, Kept } from './secret.ts';
import { openServiceAccount } from './service-account.ts';

/** What the parent sends once. */
type Crowd = {
  readonly agents: readonly { readonly cluster: string; readonly token: string }[];
  readonly settings: AgentSettings;
  /** As `openServiceAccount` takes them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
};

// Its parent is gone or needs it no longer.
process.once('disconnect', () => process.exit());
process.once('message', (crowd: Crowd) => void run(crowd));

/** Tells the parent `{ cluster, connected }` at each change. */
async function run({ agents, settings, environment, folder }: Crowd): Promise<void> {
  const life = new Life();
  const account = await openServiceAccount({ environment, folder, life, log: silentLog });
  for (const { cluster, token } of agents) {
    keepSession({
      ...{ account, secret: inMemory({ token, settings }), via: 'deployment', instance: `${cluster}-0`, node: undefined },
      ...{ environment, clock: systemClock, life, log: silentLog },
      onState: (connected) => void process.send?.({ cluster, connected }),
    });
  }
}

function inMemory(first: Kept): AgentSecret {
  let kept = first;
  return {
    read: async () => kept,
    write: async (change) => {
      kept = { ...kept, ...change };
    },
  };
}
