/** `/k8s/clusters/<name>/…`: the Kubernetes API of every cluster, to each caller with his own rights. */
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { fail, type Life, type Log, RfoError, toRfoError } from '@rfo/foundation';
import { discard, forward, forwardUpgrade, headerValues, readFraming } from '@rfo/proxy';
import type { Audit, AuditRecord } from '../audit/types.ts';
import type { Connections } from '../clusters/connections.ts';
import type { Caller } from '../identity/caller.ts';
import { type Admission, admit, type Rights } from './admit.ts';
import { answerHeaders } from './answer-headers.ts';
import { createExchanges, type Exchange, type Withdrawals } from './exchanges.ts';
import { nameOfCreated } from './name-of-created.ts';
import { parseTarget, type Target } from './parse-target.ts';
import { failureOf, isRecorded, isRefusal, outcomeOf, recordOf } from './recorded.ts';
import { requestHeaders } from './request-headers.ts';
import { isLongRunning, type RequestInfo, readRequestInfo } from './request-info.ts';
import { type StatusAnswer, statusOf } from './status.ts';
import { createUpstreams } from './upstreams.ts';

export type FrontDoor = {
  /** Answers a request; also those with `Expect: 100-continue`, before anything was answered to that. Never throws. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Takes over the socket of a request that asks for another protocol. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Requests that go on at this moment, watches and shells included. */
  readonly open: () => number;
  /** Ends all watches as an API server does when their time is over, so that who watches goes on elsewhere: this replica ends. */
  readonly endWatches: () => void;
};

export type FrontDoorParts = {
  readonly connections: Pick<Connections, 'connect' | 'clientOf' | 'onChange'>;
  readonly identity: Withdrawals['identity'] & {
    readonly authenticate: (headers: IncomingHttpHeaders, options: { readonly method: string }) => Promise<Caller>;
  };
  readonly rights: Rights & Withdrawals['rights'];
  readonly audit: Pick<Audit, 'record' | 'hasRoom' | 'state'>;
  readonly log: Log;
  readonly life: Life;
};

/** TRACE would give the credentials back, CONNECT is for other proxies. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);
const protocols: ReadonlySet<string> = new Set(['websocket', 'spdy/3.1']);
/** Milliseconds; API servers end what is no watch after a minute by themselves. */
const answerWithin = 90_000;

/** What is known of a request once it is clear who sends it. */
type Visit = {
  readonly request: IncomingMessage;
  readonly target: Target;
  readonly info: RequestInfo;
  readonly upgrade: boolean;
  readonly caller: Caller;
  readonly exchange: Exchange;
  /** Whether the audit log has to tell of it. */
  readonly recorded: boolean;
  readonly began: number;
  as?: Admission['as'];
};

type Outcome = Pick<AuditRecord, 'result' | 'status' | 'code' | 'message' | 'name' | 'stage'>;

/** Lasts as long as the life; what is open then is ended. */
export function createFrontDoor(parts: FrontDoorParts): FrontDoor {
  const { connections, identity, rights, audit, log, life } = parts;
  const exchanges = createExchanges({ identity, rights }, life);
  const upstreams = createUpstreams(connections, life);
  const watches = new Set<ServerResponse>();

  const enter = async (request: IncomingMessage, upgrade: boolean): Promise<Visit> => {
    const { method = '', url = '', headers } = request;
    const target = parseTarget(url);
    if (!methods.has(method)) throw fail('proxy-request-invalid', { problem: `nobody needs the method ${method} here` });
    const info = readRequestInfo({ method, path: target.path, query: new URLSearchParams(target.query) });
    const recorded = isRecorded(info, { upgrade });
    const began = performance.now();
    const caller = await identity.authenticate(headers, { method });
    return { request, target, info, upgrade, caller, exchange: exchanges.open(caller), recorded, began };
  };

  const admitted = async (visit: Visit): Promise<Admission> => {
    const { request, exchange, recorded } = visit;
    const { headers, rawHeaders } = request;
    exchange.signal.throwIfAborted();
    const admission = await admit({ ...visit, headers, rawHeaders, signal: exchange.signal }, { rights, connections });
    visit.as = admission.as;
    if (recorded && !audit.hasRoom()) throw fail('audit-behind', { problem: audit.state().problem ?? 'too much of it waits' });
    exchange.signal.throwIfAborted();
    return admission;
  };

  /** What goes on to the cluster. */
  const onward = ({ request, target, info }: Visit, admission: Admission) => ({
    upstream: upstreams.of(target.cluster),
    path: target.path + target.query,
    headers: { ...requestHeaders(request.rawHeaders, { host: 'kubernetes.default.svc' }), ...admission.headers },
    onAnswer: (answer: IncomingMessage) =>
      answerHeaders(answer, { cluster: target.cluster, proxied: info.verb === 'proxy' || info.subresource === 'proxy' }),
  });

  const record = (visit: Visit, outcome: Outcome): void => {
    const { name = visit.info.name, ...rest } = outcome;
    const milliseconds = Math.round(performance.now() - visit.began);
    audit.record({ ...recordOf({ ...visit, as: visit.as }), ...rest, name, milliseconds });
  };

  /** Tells log and audit of a failure; gives what to answer. */
  const failed = (thrown: unknown, visit: Visit | undefined, begun = false): StatusAnswer => {
    const cluster = visit?.target.cluster;
    const error = cluster === undefined || thrown === gone ? thrown : brokeOff(thrown, cluster);
    const answer = statusOf(error);
    // What has no end of its own is ended by somebody.
    if (begun && visit !== undefined) record(visit, { result: 'done', stage: 'ended', ...reasonOf(error) });
    else if (thrown === gone) {
      // What he asked for may have happened all the same.
      if (visit?.recorded) record(visit, { result: 'failed', message: gone.message });
    } else if (visit !== undefined && (visit.recorded || isRefusal(error))) record(visit, failureOf(error, answer.status));
    if (thrown === gone) return answer;
    if (answer.unexpected) log.error('a request could not be answered', { cluster, path: visit?.target.path, error: toRfoError(error) });
    else log.debug('a request was not passed on', { cluster, path: visit?.target.path, user: visit?.caller.user, code: answer.code });
    return answer;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let visit: Visit | undefined;
    let begun = false as boolean;
    try {
      const framing = readFraming(request);
      if ('problem' in framing) throw fail('proxy-request-invalid', { problem: framing.problem });
      visit = await enter(request, false);
      const entered = visit;
      const { exchange, info, target, recorded } = entered;
      response.once('close', () => response.writableFinished || exchange.abort(gone));
      if (response.destroyed) exchange.abort(gone);
      const admission = await admitted(entered);
      const onwardParts = onward(entered, admission);
      const created = recorded && isCreation(info) ? nameOfCreated() : undefined;
      const lasting = isLongRunning({ ...info, path: target.path });
      if (lasting) request.socket.setKeepAlive(true, 15_000);
      const status = await forward({
        ...{ request, response, framing, signal: exchange.signal },
        ...onwardParts,
        ...(!lasting && { answerWithin }),
        onAnswer: (answer) => {
          const headers = onwardParts.onAnswer(answer);
          created?.watch(answer);
          // A watch of secrets is told when it begins, not when it is over.
          begun = lasting && recorded && answer.statusCode === 200;
          if (begun) record(entered, { result: 'done', status: 200, stage: 'begun' });
          if (info.verb === 'watch') {
            watches.add(response);
            response.once('close', () => watches.delete(response));
          }
          return headers;
        },
      });
      const name = info.name ?? created?.name();
      if (recorded) record(entered, { ...outcomeOf(status), name, ...(begun && { stage: 'ended' }) });
    } catch (error) {
      refuse(request, response, failed(error, visit, begun));
    } finally {
      visit?.exchange.close();
    }
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    let visit: Visit | undefined;
    let begun = false;
    try {
      const protocol = checkUpgrade(request);
      visit = await enter(request, true);
      const entered = visit;
      const { exchange } = entered;
      socket.once('close', () => exchange.abort(gone));
      if (socket.destroyed) exchange.abort(gone);
      const admission = await admitted(entered);
      request.socket.setKeepAlive(true, 15_000);
      const status = await forwardUpgrade({
        ...{ request, socket, head, protocol, signal: exchange.signal },
        ...onward(entered, admission),
        onBegun: (code) => {
          begun = true;
          if (entered.recorded) record(entered, { ...outcomeOf(code), ...(code === 101 && { stage: 'begun' }) });
        },
      });
      if (entered.recorded && status === 101)
        record(entered, { result: 'done', status, stage: 'ended', ...reasonOf(exchange.signal.reason) });
    } catch (error) {
      // Its end is told even so: it may have been ended for a reason.
      const answer = failed(error, visit);
      if (!begun && socket.writable) socket.end(renderRefusal(answer), () => socket.destroy());
      else socket.destroy();
    } finally {
      visit?.exchange.close();
    }
  };

  return {
    handle: (request, response) => {
      handle(request, response).catch((error: unknown) => {
        log.error('a request could not even be refused', { error });
        response.destroy();
      });
    },
    upgrade: (request, socket, head) => {
      socket.on('error', () => undefined);
      upgrade(request, socket, head).catch((error: unknown) => {
        log.error('a request could not even be refused', { error });
        socket.destroy();
      });
    },
    open: exchanges.count,
    endWatches: () => {
      for (const response of watches) response.end();
    },
  };
}

/** The caller needs no answer any more. */
const gone = new Error('the client went away');

/** What the network says becomes an error of the table; a mistake of ours stays what it is. */
function brokeOff(thrown: unknown, cluster: string): unknown {
  if (thrown instanceof RfoError || thrown instanceof TypeError || thrown instanceof RangeError) return thrown;
  return fail('cluster-broke-off', { cluster, problem: thrown instanceof Error ? thrown.message : String(thrown) }, thrown);
}

/** Why something that lasts was ended, where neither end did it. */
function reasonOf(reason: unknown): Pick<AuditRecord, 'code' | 'message'> {
  return reason instanceof RfoError ? { code: reason.code, message: reason.message } : {};
}

function isCreation({ verb, resource, name }: RequestInfo): boolean {
  return verb === 'create' && resource !== undefined && name === undefined;
}

/** @throws proxy-request-invalid */
function checkUpgrade(request: IncomingMessage): string {
  const refuse = (problem: string): never => {
    throw fail('proxy-request-invalid', { problem });
  };
  const framing = readFraming(request);
  if ('problem' in framing) return refuse(framing.problem);
  // Whether the bytes behind it are a body or the other protocol could be seen in two ways.
  if (framing.kind === 'chunked' || (framing.kind === 'length' && framing.bytes > 0))
    return refuse('it asks for another protocol and has a body');
  if (request.httpVersion !== '1.1') return refuse(`HTTP/${request.httpVersion} knows no upgrades`);
  const [protocol, ...others] = headerValues(request.rawHeaders, 'upgrade')
    .flatMap((value) => value.split(','))
    .map((each) => each.trim());
  if (protocol === undefined || others.length > 0 || !protocols.has(protocol.toLowerCase()))
    return refuse('it asks for another protocol than WebSocket or SPDY/3.1');
  return protocol;
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, headers, body, code }: StatusAnswer): void {
  if (response.headersSent) response.destroy();
  if (response.destroyed) return;
  const unread = !request.complete;
  // Where it ends, or what it is at all, is not certain: nothing behind it is looked at.
  const last = unread || code === 'proxy-request-invalid';
  response.writeHead(status, { ...headers, ...(last && { connection: 'close' }) });
  response.end(request.method === 'HEAD' ? undefined : body);
  if (unread) discard(request);
}

function renderRefusal({ status, headers, body }: StatusAnswer): string {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`;
}
