/**
 * Answers the API server of a cluster whose token it was given (TokenReview of authentication.k8s.io, the webhook of
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication), without asking the manager.
 */
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type Clock, fail, type Life, type Log, systemCode } from '@rfo/foundation';
import type { DirectUsers, Person } from './direct-users.ts';

export type TokenReviewOptions = {
  readonly users: DirectUsers;
  /** An address of loopback: only the API server of the same host is to ask. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly tls: {
    /** PEM of the certificate that it shows, and of its key. */
    readonly cert: string;
    readonly key: string;
    /** Who alone may ask: a certificate of this authority with this common name. Without it, whoever reaches the port. */
    readonly client?: { readonly ca: string; readonly commonName: string };
  };
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
};

/** Where reviews are posted to. */
export const tokenReviewPath = '/v1/token-reviews';

/** Most bytes of a review, and milliseconds for it to arrive. */
const limit = 64 * 1024;
const within = 5000;

/**
 * Gives its port when it listens and knows who there is: an API server that cannot reach it lets nobody in by it, and goes on for everybody else.
 * Ends with the life. Throws port-taken, what the system says to the address, or the reason of the life.
 */
export async function serveTokenReviews({ users, host, port, tls, clock, life, log }: TokenReviewOptions): Promise<number> {
  await users.synced;
  const { cert, key, client } = tls;
  const server = createServer({
    ...{ cert, key, minVersion: 'TLSv1.2', requestTimeout: within, headersTimeout: within },
    ...(client && { ca: client.ca, requestCert: true, rejectUnauthorized: true }),
  });
  server.on('request', (request, response) => {
    const answer = (status: number, body: string): void => {
      if (!request.complete) response.setHeader('connection', 'close');
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
    };
    if (client !== undefined && (request.socket as TLSSocket).getPeerCertificate().subject?.CN !== client.commonName)
      return answer(403, '{}');
    // An API server says how long it will wait behind a question mark.
    if (request.url?.split('?')[0] !== tokenReviewPath || request.method !== 'POST') return answer(404, '{}');
    readText(request).then(
      (text) => {
        const review = answerReview(text, (token) => users.personOf(token, clock.now()));
        answer(review === undefined ? 400 : 200, review ?? '{}');
      },
      (error: unknown) => {
        log.debug('a token review was not read', { error });
        answer(400, '{}');
      },
    );
  });
  life.defer(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void =>
      reject(systemCode(error) === 'EADDRINUSE' ? fail('port-taken', { port, holder: 'another process' }, error) : error);
    server.once('error', onError).listen(port, host, () => {
      server.off('error', onError);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

/** The answer to a review, in the version that it was asked in; undefined to what is none. */
export function answerReview(text: string, personOf: (token: string) => Person | undefined): string | undefined {
  const review = parse(text);
  if (review?.kind !== 'TokenReview' || !/^authentication\.k8s\.io\/v1(beta1)?$/.test(String(review.apiVersion))) return undefined;
  const spec: unknown = review.spec;
  const token: unknown = typeof spec === 'object' && spec !== null && 'token' in spec ? spec.token : undefined;
  const user = typeof token === 'string' ? personOf(token) : undefined;
  const status = user === undefined ? { authenticated: false } : { authenticated: true, user };
  return JSON.stringify({ apiVersion: review.apiVersion, kind: review.kind, status });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw fail('request-too-large', { limit });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
