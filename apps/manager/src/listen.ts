// The one port of the manager: HTTPS for people and programs, and the tunnels of agents, told apart in the TLS handshake (ALPN, RFC 7301).
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { fail, type Life } from '@rfo/foundation';
import { type BrokenAnswer, brokenAnswerer, listen, openConnections } from '@rfo/http';
import { dispatchTunnels, tunnelProtocol } from '@rfo/tunnel';
import type { ServingCertificate } from './serving/certificate.ts';

/** What is done with what comes in. Each takes over what it is given. */
export type Entrances = {
  /** To one with `Expect: 100-continue` nothing was answered yet. */
  readonly request: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Nothing was written to the socket. */
  readonly tunnel: (socket: TLSSocket) => void;
};

export type Listener = {
  readonly port: number;
  /** Ends each connection with its next answer, so that whoever uses it connects anew. */
  readonly retire: () => void;
  /** Takes no new connection, and resolves when the requests that have an end are answered, or `within` ms are over. */
  readonly drain: (within: number) => Promise<void>;
};

/** Milliseconds and bytes that keep strangers from holding on to the server. */
const bounds = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  // Uploads into clusters may take hours. Whoever reads other bodies bounds them.
  requestTimeout: 0,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 32 * 1024,
} as const;

/**
 * Listens until the life ends, which closes every connection.
 * @throws port-taken, and what the system says to an address that is none of this host's
 */
export async function startListener(options: {
  readonly address: string;
  readonly port: number;
  readonly certificate: ServingCertificate;
  readonly entrances: Entrances;
  readonly life: Life;
}): Promise<Listener> {
  const { certificate, entrances, life } = options;
  const server = createServer({
    ...certificate.current(),
    ...bounds,
    ALPNProtocols: [tunnelProtocol, 'http/1.1'],
    minVersion: 'TLSv1.2',
    noDelay: true,
  });
  life.defer(certificate.onChange(() => server.setSecureContext(certificate.current())));
  const connections = openConnections(server);
  const answering = new Set<ServerResponse>();
  let retiring = false;
  let idle = (): void => undefined;

  const take = (request: IncomingMessage, response: ServerResponse): void => {
    if (retiring) response.setHeader('connection', 'close');
    if (hasEnd(request.url ?? '')) {
      answering.add(response);
      response.once('close', () => {
        answering.delete(response);
        if (answering.size === 0) idle();
      });
    }
    entrances.request(request, response);
  };
  server.on('request', take);
  // Whoever reads the body says that it may come: a cluster's API server may want to refuse it first.
  server.on('checkContinue', take);
  server.on('upgrade', entrances.upgrade);
  server.on('clientError', brokenAnswerer(brokenRequest));
  dispatchTunnels(server, entrances.tunnel);

  const port = await listen(server, { host: options.address, port: options.port });
  life.defer(() => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of connections) socket.destroy();
    return closed;
  });
  return {
    port,
    retire: () => {
      retiring = true;
    },
    drain: async (within) => {
      retiring = true;
      server.close();
      server.closeIdleConnections();
      if (answering.size === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, within);
        idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

/** Watches and logs that are followed end when their server ends: their clients know how to go on. */
function hasEnd(url: string): boolean {
  const at = url.indexOf('?');
  if (at < 0) return true;
  const query = new URLSearchParams(url.slice(at + 1));
  const on = (name: string): boolean => query.has(name) && query.get(name) !== 'false' && query.get(name) !== '0';
  return !(on('watch') || on('follow'));
}

/** The same form as the answers of the REST interface. */
function brokenRequest(_status: number, text: string): BrokenAnswer {
  const { message, cure } = fail('request-invalid', { problem: text });
  return { type: 'application/json', body: JSON.stringify({ code: 'request-invalid', message, cure }) };
}
