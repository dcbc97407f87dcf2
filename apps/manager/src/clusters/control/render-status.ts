/** Renders the status of a Cluster from what is known of its connection and its health. */
import type { Condition } from '@rfo/kube';
import type { Cluster } from '@rfo/schema';
import type { ConnectionState } from '../connections.ts';
import type { Health } from './check-health.ts';

type Status = NonNullable<Cluster['status']>;

export type StatusInput = {
  readonly state: ConnectionState;
  /** undefined where the cluster was not looked at; an Error where that failed. */
  readonly health: Health | Error | undefined;
  readonly caBundle: string | undefined;
  /** Whether the agents have kept the settings of now; undefined for a cluster without agents. */
  readonly settled: boolean | undefined;
  readonly before: Status | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
};

/** `lastSeen` (ms) is written again after this, or with whatever else changes. */
const seenEvery = 60_000;

/** What is to be written; undefined where nothing has changed that is worth it. */
export function renderStatus(input: StatusInput): Partial<Status> | undefined {
  const next = input.state.connected ? present(input) : absent(input);
  const { before } = input;
  const same = before !== undefined && covers(before, withoutSeen(next));
  const seen = Date.parse(before?.agent?.lastSeen ?? '');
  const fresh = !input.state.connected || input.now - seen < seenEvery;
  return same && fresh ? undefined : next;
}

function present({ state, health, caBundle, settled, before, now }: StatusInput): Partial<Status> {
  const { via, version, since, apiServer } = state;
  const found = health instanceof Error ? undefined : health;
  const connected = condition('Connected', true, 'AgentConnected', `${state.sessions} ${state.sessions === 1 ? 'session' : 'sessions'}`);
  return {
    phase: 'Active',
    conditions: merge(before?.conditions, [connected, readyCondition(health), ...settledCondition(settled)], now),
    ...(apiServer && { apiServer }),
    ...(caBundle && { caBundle }),
    ...(found?.kubernetesVersion && { kubernetesVersion: found.kubernetesVersion }),
    ...(found && { components: [...found.components] }),
    ...found?.nodes,
    agent: {
      ...(version && { version }),
      ...(via && { via }),
      since: time(since ?? now),
      lastSeen: time(now),
      // A merge patch: what is not said stays.
      ...({ reason: null, message: null } as object),
    },
  };
}

function absent({ state, settled, before, now }: StatusInput): Partial<Status> {
  const was = before?.phase === 'Active';
  const never = before?.agent?.lastSeen === undefined;
  const reason = state.problem?.reason ?? before?.agent?.reason ?? (never ? 'NeverConnected' : 'Disconnected');
  const message =
    state.problem?.message ?? before?.agent?.message ?? (never ? 'no agent of this cluster has connected yet' : 'no agent is connected');
  return {
    phase: never ? 'Pending' : 'Away',
    conditions: merge(
      before?.conditions,
      [
        condition('Connected', false, reason, message),
        condition('Ready', 'Unknown', reason, message),
        // What they had when they left may be out of date by now.
        ...(settled === undefined || never ? [] : [condition('AgentSettled', 'Unknown', reason, message)]),
      ],
      now,
    ),
    agent: {
      ...before?.agent,
      since: was || before?.agent?.since === undefined ? time(state.problem?.at ?? now) : before.agent.since,
      ...(was && { lastSeen: time(state.problem?.at ?? now) }),
      ...{ reason, message },
    },
  };
}

function readyCondition(health: StatusInput['health']): Wanted {
  if (health === undefined) return condition('Ready', 'Unknown', 'NotLookedAt', 'it was not looked at yet');
  if (health instanceof Error) return condition('Ready', false, 'ApiServerUnreachable', health.message);
  const ill = health.components.filter(({ healthy }) => !healthy);
  if (ill.length === 0) return condition('Ready', true, 'Healthy', 'its control plane is well');
  return condition('Ready', false, 'ComponentsUnhealthy', ill.map(({ name, message }) => `${name}: ${message ?? 'not well'}`).join('; '));
}

function settledCondition(settled: boolean | undefined): readonly Wanted[] {
  if (settled === undefined) return [];
  return [
    settled
      ? condition('AgentSettled', true, 'Kept', 'its agents have the present addresses and authorities of the manager')
      : condition('AgentSettled', false, 'Waiting', 'its agents have not taken the present addresses and authorities of the manager yet'),
  ];
}

type Wanted = Omit<Condition, 'lastTransitionTime'>;

function condition(type: string, status: boolean | 'Unknown', reason: string, message: string): Wanted {
  return { type, status: status === 'Unknown' ? status : status ? 'True' : 'False', reason, message: message.slice(0, 2048) };
}

/** Conditions of others stay; the time of one is that of its last change of status. */
function merge(before: Status['conditions'] | undefined, wanted: readonly Wanted[], now: number): Condition[] {
  const others = (before ?? []).filter(({ type }) => wanted.every((each) => each.type !== type)) as readonly Condition[];
  const mine = wanted.map((each) => {
    const known = before?.find(({ type }) => type === each.type);
    return { ...each, lastTransitionTime: known?.status === each.status ? known.lastTransitionTime : time(now) };
  });
  return [...others, ...mine];
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}

function withoutSeen(status: Partial<Status>): Partial<Status> {
  if (status.agent === undefined) return status;
  const { lastSeen: _, ...agent } = status.agent;
  return { ...status, agent };
}

/** Whether a merge patch would change nothing. */
function covers(now: unknown, patch: unknown): boolean {
  if (patch === null) return now === undefined || now === null;
  if (typeof patch !== 'object') return now === patch;
  if (typeof now !== 'object' || now === null) return false;
  if (Array.isArray(patch))
    return Array.isArray(now) && now.length === patch.length && patch.every((each, index) => covers(now[index], each));
  return Object.entries(patch).every(([key, value]) => value === undefined || covers((now as Record<string, unknown>)[key], value));
}
