/** Certificate status for `node:http`: reads the body within bounds, answers, and never throws. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '@rfo/foundation';
import { answerStatus, longestRequest, type StatusAnswer, type StatusSources } from './answer-http.ts';

export type StatusHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers every request: whoever serves something else beside it passes on only what is meant for it. */
export function createStatusHandler(sources: StatusSources, log: Log): StatusHandler {
  return (request, response) => {
    readBody(request).then(
      async (body) => send(response, request.method === 'HEAD', body === undefined ? tooLarge : await answer(request, body)),
      // The client is gone.
      () => response.destroy(),
    );
  };

  async function answer({ method = '', url = '', headers }: IncomingMessage, body: Buffer): Promise<StatusAnswer> {
    try {
      return await answerStatus({ method, url, ifNoneMatch: headers['if-none-match'], body }, sources);
    } catch (error) {
      log.error('a request for the status of certificates could not be answered', { url, error });
      return { status: 503, headers: { 'Retry-After': '10' }, body: Buffer.alloc(0) };
    }
  }
}

const tooLarge: StatusAnswer = { status: 413, headers: { Connection: 'close' }, body: Buffer.alloc(0) };

/** Undefined when it is longer than any request may be. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request) {
    size += (part as Buffer).length;
    if (size > longestRequest) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

function send(response: ServerResponse, onlyHead: boolean, { status, headers, body }: StatusAnswer): void {
  const length = status === 304 ? {} : { 'Content-Length': body.length };
  response.writeHead(status, { ...headers, ...length });
  response.end(onlyHead ? undefined : body);
}
