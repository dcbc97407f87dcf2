/** The port of the CFSSL API: HTTPS, with what keeps strangers from holding on to it. */

import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { createSecureContext, type SecureContextOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import { type Clock, type Life, type Log, systemClock } from '@rfo/foundation';
import { brokenAnswerer, listen, openConnections, whileUnchanged } from '@rfo/http';
import { certificateInfos } from '@rfo/pki';
import { type ClientAuthorities, rememberClient } from './client.ts';
import type { Handler } from './create-api.ts';
import { plainText } from './envelope.ts';

/** Files are read again when they have changed: a renewed certificate counts from the next connection on, and those that are open stay. */
export type ApiTls = {
  readonly certFile: string;
  readonly keyFile: string;
  /** TLS 1.2 without it. */
  readonly minVersion?: SecureVersion;
  /** CA of operators (`-mutual-tls-ca`): with it, nobody connects without a certificate. */
  readonly operatorsFile?: string;
  /** Certificates of this CA, whose holders are known by them: those who renew. */
  readonly ownFile?: string;
};

export type ApiServer = { readonly port: number };

/** Milliseconds, bytes and counts. */
export type TransportBounds = {
  readonly connections: number;
  readonly headersTime: number;
  readonly requestTime: number;
  readonly idleTime: number;
  readonly headerSize: number;
  /** How long requests that were under way when the life ended may take to be answered. */
  readonly grace: number;
};

const defaultTransportBounds: TransportBounds = {
  connections: 4096,
  headersTime: 10_000,
  requestTime: 60_000,
  idleTime: 60_000,
  headerSize: 16 * 1024,
  grace: 10_000,
};

/**
 * Listens until the life ends: then nobody new is let in, and requests that are under way are answered.
 * @param inputs `tls` undefined: plain HTTP; port 0 takes any free one
 * @throws port-taken, and what is wrong with the certificate, its key or the CAs
 */
export async function startApi(inputs: {
  readonly handler: Handler;
  readonly host: string;
  readonly port: number;
  readonly tls: ApiTls | undefined;
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
  readonly bounds?: Partial<TransportBounds>;
}): Promise<ApiServer> {
  const { handler, life, tls } = inputs;
  const bounds = { ...defaultTransportBounds, ...inputs.bounds };
  const options = httpOptions(bounds);
  const server = tls === undefined ? createHttpServer(options) : secureServer(tls, { ...inputs, options });
  server.maxConnections = bounds.connections;
  server.on('clientError', brokenAnswerer(plainText));

  const open = openConnections(server);
  const busy = new Set<ServerResponse>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    busy.add(response);
    response.once('close', () => busy.delete(response));
    handler(request, response);
  });
  const port = await listen(server, inputs);
  life.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    await allAnswered(busy, bounds.grace);
    for (const socket of open) socket.destroySoon();
    const late = setTimeout(() => {
      for (const socket of open) socket.destroy();
    }, 1000);
    await closed;
    clearTimeout(late);
  });
  return { port };
}

function httpOptions(bounds: TransportBounds): ServerOptions {
  return {
    headersTimeout: bounds.headersTime,
    requestTimeout: bounds.requestTime,
    keepAliveTimeout: bounds.idleTime,
    connectionsCheckingInterval: Math.min(5000, bounds.headersTime),
    maxHeaderSize: bounds.headerSize,
    // Nobody is addressed by a name here.
    requireHostHeader: false,
    noDelay: true,
  };
}

function secureServer(
  tls: ApiTls,
  { options, log, clock = systemClock }: { readonly options: ServerOptions; readonly log: Log; readonly clock?: Clock },
): Server {
  const files = [tls.certFile, tls.keyFile, tls.operatorsFile, tls.ownFile].filter((file) => file !== undefined);
  const read = whileUnchanged(files, () => readMaterial(tls));
  let material = read();
  const server = createServer({
    ...options,
    ...material.context,
    handshakeTimeout: 10_000,
    ALPNProtocols: ['http/1.1'],
    requestCert: tls.operatorsFile !== undefined || tls.ownFile !== undefined,
    rejectUnauthorized: tls.operatorsFile !== undefined,
  });
  let problem = '';
  // Before the server's own listener, so that this connection is the first with the new certificate.
  server.prependListener('connection', () => {
    try {
      const now = read();
      if (now === material) return;
      server.setSecureContext(now.context);
      material = now;
      problem = '';
      log.info('the API shows its renewed certificate', { file: tls.certFile });
    } catch (error) {
      // A certificate without its key, between two writes: the one in use stays until both fit.
      const text = error instanceof Error ? error.message : String(error);
      if (text !== problem) log.warn('the certificate of the API changed and cannot be used yet', { file: tls.certFile, problem: text });
      problem = text;
    }
  });
  // Before the HTTP server's own listener, which may have a request at once.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    try {
      rememberClient(socket, { ...material.authorities, now: clock.now() });
    } catch (error) {
      log.warn('a client was sent away: its certificate cannot be read', { remote: socket.remoteAddress, error });
      socket.destroy();
    }
  });
  return server;
}

type Material = { readonly context: SecureContextOptions; readonly authorities: ClientAuthorities };

/** @throws what OpenSSL says to a certificate and a key that do not belong together, certificate-unreadable, ENOENT */
function readMaterial(tls: ApiTls): Material {
  const read = (file: string | undefined): string => (file === undefined ? '' : readFileSync(file, 'utf8'));
  const operators = read(tls.operatorsFile);
  const own = read(tls.ownFile);
  const context: SecureContextOptions = {
    cert: read(tls.certFile),
    key: read(tls.keyFile),
    minVersion: tls.minVersion ?? 'TLSv1.2',
    // An intermediate CA is trusted by itself: its root need not stand beside it.
    allowPartialTrustChain: true,
    ...(operators + own !== '' && { ca: [operators, own].filter((pem) => pem !== '') }),
  };
  createSecureContext(context);
  return {
    context,
    authorities: { operators: certificateInfos(operators, tls.operatorsFile), own: certificateInfos(own, tls.ownFile) },
  };
}

/** Resolves when nothing is under way any more, or after so many milliseconds. */
async function allAnswered(busy: ReadonlySet<ServerResponse>, grace: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, grace);
  const closed = [...busy].map((response) => new Promise<void>((resolve) => response.once('close', resolve)));
  await Promise.race([Promise.all(closed), late.promise]);
  clearTimeout(timer);
}
