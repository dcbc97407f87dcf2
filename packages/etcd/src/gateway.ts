import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
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
  /** Posts to a path of the JSON gateway, or gets where there is no body. Throws etcd-unreachable, etcd-refused, or the signal's reason. */
  readonly call: (path: string, body: object | undefined, options?: CallOptions) => Promise<unknown>;
  readonly close: () => void;
};

/** What etcd said when it refused: the cause of an etcd-refused error. */
class EtcdRefusal extends Error {}

/** What etcd said (`etcdserver: unhealthy cluster`), or undefined for any other error. */
export function etcdRefusal(error: unknown): string | undefined {
  return error instanceof RfoError && error.cause instanceof EtcdRefusal ? error.cause.message : undefined;
}

const usualAnswerWithin = 60_000;

export function createGateway(target: EtcdEndpoint): Gateway {
  const { endpoint } = target;
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 1 });
  return {
    close: () => agent.destroy(),
    call: async (path, body, { signal, answerWithin = usualAnswerWithin } = {}) => {
      try {
        const [ca, cert, key] = await Promise.all([target.ca, target.cert, target.key].map((file) => readFile(file)));
        const { status, text } = await send(new URL(path, endpoint), body, {
          agent,
          answerWithin,
          ...(signal && { signal }),
          ...(ca && { ca }),
          ...(cert && { cert }),
          ...(key && { key }),
        });
        if (status !== 200) {
          const problem = problemOf(text) || `status ${status}`;
          throw fail('etcd-refused', { endpoint, what: path, problem }, new EtcdRefusal(problem));
        }
        return JSON.parse(text);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof RfoError) throw error;
        throw fail('etcd-unreachable', { endpoint, problem: error instanceof Error ? error.message : String(error) }, error);
      }
    },
  };
}

type SendOptions = {
  readonly agent: Agent;
  readonly answerWithin: number;
  readonly signal?: AbortSignal;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
};

function send(
  url: URL,
  body: object | undefined,
  { answerWithin, ...options }: SendOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...options, method: body === undefined ? 'GET' : 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.once('error', reject);
    });
    sent.setTimeout(answerWithin, () => sent.destroy(new Error(`no answer within ${answerWithin / 1000} s`)));
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** grpc-gateway answers `{"code":…,"message":…}`. */
function problemOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: string };
    return message ?? '';
  } catch {
    return text.trim().slice(0, 300);
  }
}
