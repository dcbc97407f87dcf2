/** Takes an agent in: asks who it is, checks its token, tells it the verdict, and makes a session of its tunnel. */
import type { Log } from '@rfo/foundation';
import { fail, orAbort, toRfoError } from '@rfo/foundation';
import {
  type AgentCredentials,
  type AgentHello,
  type AgentRefusal,
  type AgentSettings,
  type AgentWelcome,
  agentPaths,
  agentTarget,
  longestAgentLine,
  parseAgentHello,
  parseAgentUpdate,
} from '@rfo/schema';
import { readBody, readJsonLines, type Tunnel } from '@rfo/tunnel';
import type { ClusterTokens } from './cluster-tokens.ts';
import type { Problem } from './connections.ts';
import type { Registrations } from './registrations.ts';
import { type AgentToken, parseAgentToken } from './secret-token.ts';
import type { Session } from './sessions.ts';

export type AdmissionInput = {
  readonly registrations: Registrations;
  readonly tokens: ClusterTokens;
  /** Whether there is such a Cluster, that is not being removed; asked of the API. */
  readonly exists: (cluster: string) => Promise<boolean>;
  readonly settings: () => AgentSettings;
  /** Called when the credentials or the settings of a session have changed. */
  readonly touch: (cluster: string) => void;
  readonly report: (cluster: string, problem: Problem) => void;
  readonly now: () => number;
  readonly log: Log;
};

export type Admitted = {
  readonly session: Session;
  readonly hello: AgentHello;
  /** Brings the agent's settings up to date, if they are not. */
  readonly settle: () => Promise<void>;
  /** Gives it another token; false where that has to wait or the agent has not kept it. */
  readonly renewToken: () => Promise<boolean>;
  /** Has it connect to another replica. Throws where it does not know how to, or is gone. */
  readonly move: () => Promise<void>;
};

/** Milliseconds for an agent to say who it is, and to answer later questions. */
const introduceWithin = 10_000;
const answerWithin = 20_000;
const answerLimit = 4096;

/**
 * Resolves with the session, which ends with the tunnel. Throws agent-refused after it has told the agent so, tunnel-closed, or what is wrong with what
 * the agent says.
 */
export async function admitAgent(tunnel: Tunnel, input: AdmissionInput): Promise<Admitted> {
  const { now, log } = input;
  const signal = AbortSignal.timeout(introduceWithin);
  const { status, body } = await orAbort(tunnel.ask(agentPaths.hello), signal);
  if (status !== 200) throw fail('request-invalid', { problem: `the agent answers ${status} to ${agentPaths.hello}` });
  const lines = readJsonLines(body, { limit: longestAgentLine });
  const first = await orAbort(lines.next(), signal);
  const hello = parseAgentHello(first.value);
  const entry = await judgeToken(hello.token, input).catch(async (error: unknown) => {
    const message = 'the manager cannot check tokens now: its own Kubernetes API does not answer';
    await tell(tunnel, agentPaths.welcome, { accepted: false, reason: 'Busy', message } satisfies AgentWelcome).catch(() => undefined);
    throw error;
  });
  if ('refusal' in entry) {
    // Whether it has heard that changes nothing.
    await tell(tunnel, agentPaths.welcome, { accepted: false, ...entry.refusal } satisfies AgentWelcome).catch((error: unknown) =>
      log.debug('an agent has not heard that it is refused', { error }),
    );
    reportRefusal(entry, input);
    throw fail('agent-refused', { problem: entry.refusal.message, reason: entry.refusal.reason });
  }
  const { cluster, token } = entry;
  await expect200(tunnel, agentPaths.welcome, { accepted: true, cluster } satisfies AgentWelcome);

  let credentials: AgentCredentials = hello.credentials;
  let known = { ca: credentials.ca, token: credentials.serviceAccountToken };
  let settings = hello.settings;
  const follow = async (): Promise<void> => {
    for await (const line of lines) {
      credentials = parseAgentUpdate(line);
      known = { ca: credentials.ca, token: credentials.serviceAccountToken };
      input.touch(cluster);
    }
  };
  // It ends with the tunnel; what is no such line ends the tunnel, as its credentials would be out of date unnoticed.
  follow().catch((error: unknown) => {
    log.warn('an agent says what cannot be understood', { cluster, error });
    tunnel.close();
  });

  const renewToken = async (): Promise<boolean> => {
    const issued = await input.tokens.issue(cluster);
    if (issued === undefined) return false;
    const kept = await tell(tunnel, agentPaths.token, { token: issued.token }).catch((error: unknown) => toRfoError(error));
    if (kept === 200) {
      await input.tokens.confirm(cluster, issued.id);
      return true;
    }
    log.warn('an agent was given a token and did not keep it', { cluster, problem: kept instanceof Error ? kept : `status ${kept}` });
    // Nobody knows what an agent has done that was not heard: if it has kept it, it will present it.
    if (typeof kept === 'number') await input.tokens.drop(cluster, issued.id);
    return false;
  };
  const bring = async (): Promise<void> => {
    const wanted = input.settings();
    if (settings === wanted.hash) return;
    await expect200(tunnel, agentPaths.settings, wanted);
    settings = wanted.hash;
    input.touch(cluster);
  };
  /** One after the other: of two on their way the older could be kept last, by the agent or in what is known of it here. */
  let before: Promise<unknown> = Promise.resolve();
  const settle = (): Promise<void> => {
    const now = before.then(bring, bring);
    before = now;
    return now;
  };
  const session: Session = {
    cluster,
    via: hello.via,
    version: hello.version,
    since: now(),
    apiServer: urlOf(hello.apiServer),
    credentials: () => known,
    open: (openSignal) => tunnel.connect(agentTarget, { signal: openSignal }),
    settings: () => settings,
    end: () => tunnel.close(),
  };
  if (token.kind === 'register') {
    if (await renewToken()) await input.registrations.consume(token.id);
  } else if (entry.old) await renewToken();
  return { session, hello, settle, renewToken, move: () => expect200(tunnel, agentPaths.move, {}) };
}

type Refused = { readonly cluster: string | undefined; readonly refusal: { readonly reason: AgentRefusal; readonly message: string } };
type Verdict = { readonly cluster: string; readonly token: AgentToken; readonly old: boolean } | Refused;

/** Shows at its cluster that an agent was refused, where it is known to be one of that cluster. */
export function reportRefusal({ cluster, refusal }: Refused, { report, now }: Pick<AdmissionInput, 'report' | 'now'>): void {
  if (cluster !== undefined) report(cluster, { reason: 'TokenRefused', message: `an agent was refused: ${refusal.message}`, at: now() });
}

/** Whether a token lets an agent in. What it throws is a failure of ours, not the agent's. */
export async function judgeToken(text: string, input: Pick<AdmissionInput, 'registrations' | 'tokens' | 'exists'>): Promise<Verdict> {
  const token = parseAgentToken(text);
  const refuse = (reason: AgentRefusal, message: string, cluster?: string): Verdict => ({ cluster, refusal: { reason, message } });
  if (token === undefined) return refuse('TokenUnknown', 'its token has no form that this manager gives');
  const found = token.kind === 'register' ? await registered(token, input) : await known(token, input);
  if ('reason' in found) {
    // Whose secret is wrong may be anybody, who has guessed the name of a cluster: that must not change what is said of it.
    const isKnown = token.kind === 'cluster' && found.reason === 'TokenExpired';
    return refuse(found.reason, found.message, isKnown ? token.cluster : undefined);
  }
  if (!(await input.exists(found.cluster))) return refuse('ClusterRemoved', `there is no Cluster ${found.cluster} any more`);
  return { token, ...found };
}

type Found = { readonly cluster: string; readonly old: boolean } | { readonly reason: AgentRefusal; readonly message: string };

async function registered(token: AgentToken & { readonly kind: 'register' }, input: Pick<AdmissionInput, 'registrations'>): Promise<Found> {
  try {
    return { cluster: await input.registrations.find(token), old: false };
  } catch (error) {
    const { code, message } = toRfoError(error);
    if (code === 'registration-expired') return { reason: 'TokenExpired', message };
    if (code === 'registration-unknown') return { reason: 'TokenUsed', message };
    throw error;
  }
}

async function known(token: AgentToken & { readonly kind: 'cluster' }, input: Pick<AdmissionInput, 'tokens'>): Promise<Found> {
  const { verdict, old } = await input.tokens.check(token);
  if (verdict === 'good') return { cluster: token.cluster, old };
  if (verdict === 'expired') return { reason: 'TokenExpired', message: 'its token was replaced by another one since' };
  return { reason: 'TokenUnknown', message: 'its token is none of its cluster' };
}

/** Sends a request and gives the status of the answer. */
async function tell(tunnel: Tunnel, path: string, value: unknown): Promise<number> {
  const signal = AbortSignal.timeout(answerWithin);
  const { status, body } = await orAbort(tunnel.ask(path, { body: JSON.stringify(value), signal }), signal);
  await readBody(body, { limit: answerLimit });
  return status;
}

async function expect200(tunnel: Tunnel, path: string, value: unknown): Promise<void> {
  const status = await tell(tunnel, path, value);
  if (status !== 200) throw fail('request-invalid', { problem: `the agent answers ${status} to ${path}` });
}

function urlOf({ host, port }: AgentHello['apiServer']): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
