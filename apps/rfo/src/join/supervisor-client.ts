/** The join API as a joining node calls it: every path of the contract as a function with types, over connections that are kept. */
import { type Clock, type ErrorCode, fail, RfoError, systemClock } from '@rfo/foundation';
import {
  type AddMember,
  type BootstrapData,
  type CertificateRequests,
  type EtcdPeer,
  type IssuedCertificates,
  joinHeaders,
  joinPaths,
  parseBootstrapData,
  parseIssuedCertificates,
  parsePeers,
  parseServedConfig,
  renderCertificateRequests,
  type ServedConfig,
  type TokenRole,
} from '../supervisor/api.ts';
import type { TokenCredential } from '../tokens/token-format.ts';
import { type Answer, exchange } from './exchange.ts';
import { renderServerAddress, type ServerAddress } from './server-address.ts';
import { type ClientCertificate, ServerAgent } from './server-agent.ts';
import { problemOf, refusal } from './server-refusal.ts';

export type SupervisorClientOptions = {
  /** Tried in this order; the one that answered last goes first. */
  readonly addresses: readonly [ServerAddress, ...ServerAddress[]];
  /** PEM of the CA that `pinAuthority` gave. Nothing is sent to a server that it did not sign. */
  readonly ca: string;
  /** Goes with every request: the servers tell by it that the requests of one join belong together. */
  readonly nodeName: string;
  /** What the token says, and as what the caller joins. */
  readonly token?: { readonly credential: TokenCredential; readonly role: TokenRole } | undefined;
  /** Who the caller is already; goes before the token, which is shown only where the certificate is not accepted (the Node was deleted). */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** That of `pinServer`, whose connection is used then where no certificate is shown; it ends with the client. */
  readonly agent?: ServerAgent | undefined;
  /** Ends every request. */
  readonly signal: AbortSignal;
  /** Milliseconds for each request. */
  readonly timeout?: number;
  readonly clock?: Clock;
};

/** `requests` in DER; `password` that of this host; `ips` the addresses of the node. */
export type CertificateWish = CertificateRequests & { readonly password: string; readonly ips: readonly string[] };

/** `clockAhead`: milliseconds by which the server's clock goes before ours, less than half a round trip wrong. */
export type ReceivedConfig = ServedConfig & { readonly clockAhead: number };
export type Promotion = { readonly votes: true } | { readonly votes: false; readonly problem: string };

/**
 * All functions reject with server-unreachable, server-untrusted, server-certificate-dates, server-not-ready (429 and 5xx), server-answer-invalid,
 * join-unauthorized (401), join-refused (every other refusal).
 */
export type SupervisorClient = Disposable & {
  /** Resolves where the server can serve all the rest, else rejects with server-not-ready. */
  readonly ready: () => Promise<void>;
  readonly config: () => Promise<ReceivedConfig>;
  /** The CAs, and the certificates that were asked for. Like `ready` where the server cannot serve yet. */
  readonly certify: (wish: CertificateWish) => Promise<IssuedCertificates>;
  /** @param password that of this host: what the name of its node is known by */
  readonly bootstrap: (password: string) => Promise<BootstrapData>;
  readonly members: () => Promise<readonly EtcdPeer[]>;
  /** Asked of one server only, unless that one cannot have had the request: look at `members` before asking again. */
  readonly addMember: (member: AddMember) => Promise<readonly EtcdPeer[]>;
  readonly removeUnstartedMember: (name: string) => Promise<void>;
  readonly promote: (name: string) => Promise<Promotion>;
};

/** Makes a client; it connects when it is first asked. End it when it is no longer needed: its kept connections are closed. */
export function createSupervisorClient(options: SupervisorClientOptions): SupervisorClient {
  const call = caller(options);
  const clock = options.clock ?? systemClock;
  const get = (path: string, what: string): Promise<Call> => call({ method: 'GET', path, what });
  const members = 'the members of etcd';
  return {
    ready: async () => void (await get(joinPaths.ready, 'its readiness')),
    config: async () => {
      const asked = clock.now();
      const config = parsed(await get(joinPaths.config, 'the settings of the cluster'), parseServedConfig);
      return { ...config, clockAhead: Math.round(config.time - (asked + clock.now()) / 2) };
    },
    certify: async ({ requests, password, ips }) => {
      const headers = { ...jsonBody, [joinHeaders.nodePassword]: password, [joinHeaders.nodeIp]: ips.join(',') };
      const body = renderCertificateRequests({ requests });
      const what = `the certificates of ${options.nodeName}`;
      return parsed(await call({ method: 'POST', path: joinPaths.nodeCertificates, what, headers, body }), parseIssuedCertificates);
    },
    bootstrap: async (password) => {
      const headers = { [joinHeaders.nodePassword]: password };
      return parsed(
        await call({ method: 'GET', path: joinPaths.bootstrap, what: 'the files that servers share', headers }),
        parseBootstrapData,
      );
    },
    members: async () => parsed(await get(joinPaths.etcdMembers, members), parsePeers),
    addMember: async (member) =>
      parsed(await call({ method: 'POST', path: joinPaths.etcdMembers, what: members, ...json(member), once: true }), parsePeers),
    removeUnstartedMember: async (name) => {
      const path = `${joinPaths.etcdMembers}?${new URLSearchParams({ name })}`;
      await call({ method: 'DELETE', path, what: `the removal of the etcd member ${name}` });
    },
    promote: async (name) => {
      const accept = (answer: Answer): boolean => answer.status === 409 && problemOf(answer).code === notCaughtUp;
      const { answer } = await call({ method: 'POST', path: joinPaths.etcdPromote, what: 'a vote in etcd', ...json({ name }), accept });
      return answer.status === 200 ? { votes: true } : { votes: false, problem: problemOf(answer).message };
    },
    [Symbol.dispose]: () => call.close(),
  };
}

/** The code of a refusal that only means: not yet. */
const notCaughtUp = 'etcd-not-caught-up' satisfies ErrorCode;

type Wish = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** What is asked for, for error texts. */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Not to be sent again once a server may have had it. */
  readonly once?: boolean;
  /** Whether an answer that is not 200 is one all the same. */
  readonly accept?: (answer: Answer) => boolean;
};
type Call = { readonly answer: Answer; readonly server: string; readonly what: string };

/** One way to show who calls. Each has its own connections, since the certificate belongs to the connection. */
type Identity = { readonly agent: ServerAgent; readonly name: string; readonly headers: Readonly<Record<string, string>> };

function caller(options: SupervisorClientOptions): ((wish: Wish) => Promise<Call>) & { close: () => void } {
  const { nodeName, signal, timeout = 10_000 } = options;
  const identities = identitiesOf(options);
  let addresses: readonly ServerAddress[] = options.addresses;
  /** The first of them that was not turned away yet. */
  let current = 0;

  const ask = async (address: ServerAddress, wish: Wish): Promise<Call | { error: RfoError; sent: boolean }> => {
    const server = renderServerAddress(address);
    for (;;) {
      const identity = identities[current];
      if (identity === undefined) throw fail('internal', { what: 'the client has no identity' });
      const { agent, headers } = identity;
      const own = { [joinHeaders.nodeName]: nodeName };
      const given = { ...wish, address, agent, timeout, signal, headers: { ...own, ...wish.headers, ...headers } };
      let outcome = await exchange(given);
      // The server closed a connection that was kept, perhaps as it restarted: a new one tells whether it is there.
      while ('error' in outcome && outcome.stale && wish.once !== true) outcome = await exchange(given);
      if ('error' in outcome) return outcome;
      const { answer } = outcome;
      if (answer.status === 200 || wish.accept?.(answer) === true) return { answer, server, what: wish.what };
      const error = refusal(answer, { server, what: wish.what, credential: identity.name });
      const next = identities.indexOf(identity) + 1;
      if (error.code !== 'join-unauthorized' || next >= identities.length) return { error, sent: true };
      current = Math.max(current, next);
    }
  };

  const call = async (wish: Wish): Promise<Call> => {
    const errors: RfoError[] = [];
    for (const address of addresses) {
      const outcome = await ask(address, wish);
      if (!('error' in outcome)) {
        addresses = [address, ...addresses.filter((other) => other !== address)];
        return outcome;
      }
      const { error, sent } = outcome;
      errors.push(error);
      const elsewhere = error.retryable || error.code === 'server-untrusted';
      if (!elsewhere || (wish.once === true && sent)) throw error;
    }
    throw gathered(errors);
  };
  const close = (): void => {
    for (const { agent } of identities) agent.destroy();
  };
  return Object.assign(call, { close });
}

function identitiesOf({ ca, token, clientCertificate, agent }: SupervisorClientOptions): readonly Identity[] {
  const plain = (): ServerAgent => agent ?? new ServerAgent({ ca });
  const identities: Identity[] = [];
  if (clientCertificate !== undefined) {
    identities.push({ agent: new ServerAgent({ ca, clientCertificate }), name: 'the certificate of this node', headers: {} });
  }
  if (token !== undefined)
    identities.push({ agent: plain(), name: 'the token of this node', headers: { authorization: authorization(token) } });
  return identities.length > 0 ? identities : [{ agent: plain(), name: 'a caller without a token', headers: {} }];
}

/** A bare password does not say whose it is: each role presents it as its own. */
function authorization({ credential, role }: { credential: TokenCredential; role: TokenRole }): string {
  if (credential.kind === 'id') return `Bearer ${credential.id}.${credential.secret}`;
  const user = credential.user ?? (role === 'server' ? 'server' : 'node');
  return `Basic ${Buffer.from(`${user}:${credential.password}`).toString('base64')}`;
}

/** One error for all servers, of the kind that gives hope where there is one of that kind. */
function gathered(errors: readonly RfoError[]): RfoError {
  const main = errors.find(({ retryable }) => retryable) ?? errors[0];
  if (main === undefined) return fail('internal', { what: 'the client has no address' });
  if (errors.length === 1) return main;
  const texts = errors.map(({ message, cure }) => message.slice(0, -`. ${cure}.`.length));
  return new RfoError(main.code, texts.join('; '), main.cure, main);
}

function json(value: unknown): { headers: Readonly<Record<string, string>>; body: string } {
  return { headers: jsonBody, body: JSON.stringify(value) };
}

const jsonBody = { 'content-type': 'application/json' };

/** @throws server-answer-invalid */
function parsed<T>({ answer, server, what }: Call, parse: (value: unknown) => T): T {
  try {
    return parse(JSON.parse(answer.body.toString('utf8')));
  } catch (error) {
    const problem = error instanceof SyntaxError ? 'it is not JSON' : 'it does not hold what it should';
    throw fail('server-answer-invalid', { server, what, problem }, error);
  }
}
