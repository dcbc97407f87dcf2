/**
 * Sends HTTP requests one after the other from the host that it runs on: reads them as JSON on standard input, writes the answers as JSON on
 * standard output. An answer that does not come within ten seconds ends it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { buffer, json } from 'node:stream/consumers';

export type PlainRequest = {
  readonly url: string;
  readonly method: string;
  /** Sent with curl's default type, for the API looks at none. */
  readonly body?: string;
  /** File of the CAs that a server is known by. */
  readonly ca?: string;
  /** File that gets the answer's bytes. */
  readonly saveTo?: string;
};
export type PlainAnswer = { readonly status: number; readonly type: string; readonly body: string };

if (import.meta.main) {
  const requests = (await json(process.stdin)) as readonly PlainRequest[];
  const answers: PlainAnswer[] = [];
  for (const each of requests) answers.push(await send(each));
  process.stdout.write(JSON.stringify(answers));
}

async function send({ url, method, body, ca, saveTo }: PlainRequest): Promise<PlainAnswer> {
  const options: RequestOptions & { ca?: Buffer } = {
    method,
    agent: false,
    signal: AbortSignal.timeout(10_000),
    ...(body !== undefined && { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    ...(ca !== undefined && { ca: readFileSync(ca) }),
  };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = url.startsWith('https:') ? secureRequest(url, options) : request(url, options);
  sent.once('response', resolve).once('error', reject).end(body);
  const response = await promise;
  const bytes = await buffer(response);
  if (saveTo !== undefined) writeFileSync(saveTo, bytes);
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: bytes.toString('utf8') };
}
