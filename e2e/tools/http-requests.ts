/**
 * Sends HTTP requests from the host that it runs on. Each line on standard input is a JSON list of them, and each line on standard output the
 * list of their answers; it ends with its input. One that gets no answer within ten seconds has the status 0, and says why.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';

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
  for await (const line of createInterface({ input: process.stdin })) {
    const answers: PlainAnswer[] = [];
    for (const each of JSON.parse(line) as readonly PlainRequest[]) answers.push(await answerTo(each));
    process.stdout.write(`${JSON.stringify(answers)}\n`);
  }
}

async function answerTo(request: PlainRequest): Promise<PlainAnswer> {
  try {
    return await send(request);
  } catch (error) {
    return { status: 0, type: '', body: error instanceof Error ? error.message : String(error) };
  }
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
