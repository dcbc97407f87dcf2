/** Keeps the agent connected to the manager for as long as its life lasts. */
import { connect } from 'node:net';
import { getCACertificates } from 'node:tls';
import type { Clock, Life, Log } from '@rfo/foundation';
import { RfoError } from '@rfo/foundation';
import { type AgentProblem, agentTarget } from '@rfo/schema';
import { formatTarget, keepTunnel, proxyFromEnvironment, type Target } from '@rfo/tunnel';
import { agentService } from './agent-service.ts';
import { explain } from './explain.ts';
import type { AgentSecret, Kept } from './secret.ts';
import type { ServiceAccount } from './service-account.ts';
import { agentVersion } from './version.ts';

export type SessionInput = {
  readonly account: ServiceAccount;
  readonly secret: AgentSecret;
  readonly via: 'deployment' | 'node';
  /** Name of the pod, and of its node. */
  readonly instance: string;
  readonly node: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
  readonly onState?: (connected: boolean) => void;
};

export type KeptSession = {
  readonly connected: () => boolean;
  /** Why it is not connected. */
  readonly problem: () => AgentProblem | undefined;
};

/** Milliseconds: a manager may be far away, and busy when it starts. */
const within = { connect: 10_000, greet: 20_000 };
const pauses = { initial: 500, max: 5000 };
const silence = { suspectAfter: 3000, lostAfter: 8000, deadAfter: 15_000, pingEvery: () => 3000 };

export function keepSession(input: SessionInput): KeptSession {
  const { account, secret, via, instance, node, environment, clock, life, log, onState } = input;
  let kept: Kept | undefined;
  let failures = 0;
  let server: Target | undefined;
  let connected = false;
  let problem: AgentProblem | undefined;

  /** What the Secret says now; another agent of the cluster may have changed it. While the API is away, what it said last. */
  const refresh = async (): Promise<Kept> => {
    try {
      kept = await secret.read(AbortSignal.any([life.signal, AbortSignal.timeout(within.connect)]));
    } catch (error) {
      if (kept === undefined || (error instanceof RfoError && error.code === 'agent-settings')) throw error;
      log.warn('the Secret of the agent cannot be read: what it said last is used', { error });
    }
    return kept;
  };
  const blame = (error: unknown): string => {
    // The next address of the manager, if there is one.
    failures++;
    const found = explain(error, { server: server === undefined ? 'the manager' : formatTarget(server), now: clock.now() });
    // Since when it is away, though the reason changes.
    problem = { reason: found.reason, message: found.message.slice(0, 1024), at: problem?.at ?? new Date(clock.now()).toISOString() };
    return `${found.reason}: ${found.message}`;
  };
  const service = agentService({
    account,
    log,
    keep: async (change) => {
      await secret.write(change, life.signal);
      if (kept !== undefined) kept = { ...kept, ...change };
    },
    onWelcome: (cluster) => log.info('the manager has taken this agent in', { cluster, via }),
    hello: () => ({
      ...{ type: 'hello', protocol: 1, token: kept?.token ?? '', version: agentVersion, via, instance, now: clock.now() },
      ...(node !== undefined && { node }),
      ...{ apiServer: account.apiServer, credentials: account.credentials(), settings: kept?.settings.hash ?? 'none' },
      ...(problem && { problem }),
    }),
  });
  keepTunnel({
    ...{ host: 'the manager', port: 443 },
    at: () => {
      const urls = kept?.settings.servers ?? [];
      server = targetOf(urls[failures % urls.length] ?? '');
      return server;
    },
    tls: async () => caOf(await refresh()),
    websocket: () => ({ path: '/connect', headers: { authorization: `Bearer ${kept?.token ?? ''}` } }),
    proxy: (target) => proxyFromEnvironment(target, environment),
    allow: ({ host, port }) => host === agentTarget.host && port === agentTarget.port,
    reach: () => connect({ ...account.apiServer, allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 }),
    ...{ service, within, pauses, ...silence, describe: blame, life, log },
    onState: (state, reason) => {
      const now = state !== 'lost';
      if (now) problem = undefined;
      else if (connected && reason !== undefined) blame(new Error(reason));
      if (now === connected) return;
      connected = now;
      onState?.(now);
    },
  });
  return { connected: () => connected, problem: () => problem };
}

function targetOf(url: string): Target {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443) };
}

function caOf({ settings: { ca, system } }: Kept): { readonly ca?: string } {
  if (!system) return { ca };
  return ca === '' ? {} : { ca: [...getCACertificates('default'), ca].join('\n') };
}
