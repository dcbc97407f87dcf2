/** The health page of the agent: `/healthz` says that the program runs, `/readyz` whether the manager has taken it in. */
import { createServer } from 'node:http';
import type { Life } from '@rfo/foundation';

/** What it tells of. */
export type Health = { readonly ready: () => boolean; readonly explain: () => string };

/** Milliseconds for a request to arrive. */
const within = 5000;

/** Gives the port. Throws what the system says to an address that cannot be listened on. */
export function serveHealth(input: {
  /** Every address when left out. */
  readonly host: string | undefined;
  readonly port: number;
  readonly health: Health;
  readonly life: Life;
}): Promise<number> {
  const { health, life } = input;
  const server = createServer(
    { requestTimeout: within, headersTimeout: within, connectionsCheckingInterval: within, keepAliveTimeout: within },
    (request, response) => {
      const answer = (status: number, text: string): void => {
        response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }).end(`${text}\n`);
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET is served here');
      if (request.url === '/healthz') return answer(200, 'ok');
      if (request.url !== '/readyz') return answer(404, 'there is /healthz and /readyz');
      return health.ready() ? answer(200, 'ok') : answer(503, health.explain());
    },
  );
  life.defer(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(input.port, input.host, () => {
      server.off('error', reject);
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : input.port);
    });
  });
}
