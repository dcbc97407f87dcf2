/** Requests to the REST interface of a manager. */
import { Agent, request } from 'node:https';
import type { Life } from '@rfo/foundation';

export type Call = (
  method: string,
  path: string,
  options?: { readonly body?: unknown; readonly signal?: AbortSignal },
) => Promise<{ readonly status: number; readonly text: string }>;

/** Milliseconds; a manager that does not answer must not hold the benchmark. */
const within = 60_000;

/** Connections are kept, up to `most` at once. @param options.credential asked for at each request */
export function createCall(
  options: {
    readonly port: number;
    readonly ca: string;
    readonly credential: () => string | undefined;
    readonly most?: number;
  },
  life: Life,
): Call {
  const { port, ca, credential, most = 16 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: most, ca });
  life.defer(() => agent.destroy());
  return (method, path, { body, signal = life.signal } = {}) =>
    new Promise((resolve, reject) => {
      const token = credential();
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      const limit = AbortSignal.any([signal, AbortSignal.timeout(within)]);
      const sent = request({ host: '127.0.0.1', port, method, path, headers, agent, signal: limit }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          answer += chunk;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text: answer }));
        response.once('error', reject);
      });
      sent.once('error', reject);
      sent.end(text);
    });
}

/** The answer as JSON. Throws what it says where its status is another. */
export async function expectStatus(wanted: number, answer: ReturnType<Call>): Promise<unknown> {
  const { status, text } = await answer;
  if (status !== wanted) throw new Error(`the manager answers ${status} instead of ${wanted}: ${text.slice(0, 1000)}`);
  return text === '' ? undefined : JSON.parse(text);
}
