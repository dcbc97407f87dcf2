import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { fail, RfoError } from '@rfo/foundation';

/** Numbers of 64 bits are decimal strings here, as they are in etcd's JSON: JavaScript numbers would lose digits. */
export type Int64 = string;

export type EtcdEndpoint = {
  /** `https://host:port` of `--listen-client-http-urls`. */
  readonly endpoint: string;
  /** Paths of PEM files. They are read for every request: a renewed certificate is used from the next one on. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
};
export type CallOptions = {
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte of the answer; a minute by default. */
  readonly answerWithin?: number;
};

export type Gateway = {
  /**
   * Posts to a path of the JSON gateway, or gets where there is no body.
   * @throws etcd-unreachable, etcd-refused, etcd-unsettled (no leader, or another one), or the signal's reason
   */
  readonly call: (path: string, body: object | undefined, options?: CallOptions) => Promise<unknown>;
  /** Posts, and gives each line of an answer that has no end. Throws as `call` does. */
  readonly stream: (path: string, body: object, signal: AbortSignal) => AsyncGenerator<unknown>;
  readonly close: () => void;
};

/** What etcd said when it refused: the cause of an etcd-refused or etcd-unsettled error. */
class EtcdRefusal extends Error {}

/** What etcd said (`etcdserver: unhealthy cluster`), or undefined for any other error. */
export function etcdRefusal(error: unknown): string | undefined {
  return error instanceof RfoError && error.cause instanceof EtcdRefusal ? error.cause.message : undefined;
}

const usualAnswerWithin = 60_000;

export function createGateway(target: EtcdEndpoint): Gateway {
  const { endpoint } = target;
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });
  const open = async (path: string, body: object | undefined, options: CallOptions): Promise<IncomingMessage> => {
    const [ca, cert, key] = await Promise.all([target.ca, target.cert, target.key].map((file) => readFile(file)));
    const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    const response = await send(new URL(path, endpoint), body, { agent, ...options, ...tls });
    if (response.statusCode === 200) return response;
    const { code, message } = problemOf(await readAll(response));
    const problem = message || `status ${response.statusCode}`;
    throw fail(code === unavailable ? 'etcd-unsettled' : 'etcd-refused', { endpoint, what: path, problem }, new EtcdRefusal(problem));
  };
  const known = (error: unknown, signal: AbortSignal | undefined): RfoError => {
    signal?.throwIfAborted();
    if (error instanceof RfoError) return error;
    return fail('etcd-unreachable', { endpoint, problem: error instanceof Error ? error.message : String(error) }, error);
  };
  return {
    close: () => agent.destroy(),
    call: async (path, body, { signal, answerWithin = usualAnswerWithin } = {}) => {
      try {
        return JSON.parse(await readAll(await open(path, body, { answerWithin, ...(signal && { signal }) })));
      } catch (error) {
        throw known(error, signal);
      }
    },
    stream: async function* (path, body, signal) {
      let response: IncomingMessage | undefined;
      try {
        // It may be silent for ever; that the member is gone shows by the connection, which is one within this host.
        response = await open(path, body, { signal, answerWithin: 0 });
        for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
          if (line !== '') yield JSON.parse(line);
        }
        if (response.errored !== null) throw response.errored;
      } catch (error) {
        throw known(error, signal);
      } finally {
        response?.destroy();
      }
    },
  };
}

type SendOptions = CallOptions & {
  readonly agent: Agent;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
};

/** Resolves with the head of the answer. */
function send(url: URL, body: object | undefined, { answerWithin = 0, ...options }: SendOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, method: body === undefined ? 'GET' : 'POST' }, resolve);
    sent.setTimeout(answerWithin, () => sent.destroy(new Error(`no answer within ${answerWithin / 1000} s`)));
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return text;
}

/** UNAVAILABLE of gRPC: what etcd gives while a majority has no leader yet, or has just changed it. */
const unavailable = 14;

/** grpc-gateway answers `{"code":…,"message":…}`. */
function problemOf(text: string): { readonly code?: number; readonly message: string } {
  try {
    const { code, message = '' } = JSON.parse(text) as { code?: number; message?: string };
    return { message, ...(code !== undefined && { code }) };
  } catch {
    return { message: text.trim().slice(0, 300) };
  }
}
