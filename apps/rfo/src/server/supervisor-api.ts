import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { fail, type Life, type Log, systemCode } from '@rfo/foundation';
import type { Paths } from '../paths.ts';
import { serverPorts } from './inputs.ts';

export type SupervisorInputs = {
  readonly paths: Paths;
  readonly bindAddress: string;
  readonly life: Life;
  readonly log: Log;
  /** Whether the control plane answers. */
  readonly ready: () => boolean;
  /** The metrics page in Prometheus' text format, or undefined where it is switched off. */
  readonly metrics: (() => string) | undefined;
};

/** The supervisor's own API on port 9345, and how it takes a renewed certificate. */
export type SupervisorApi = { readonly reloadCertificate: () => Promise<void> };

/**
 * Listens on 9345 with what a single server has to tell: `/ping` and `/cacerts` to anybody, `/healthz`, `/readyz` and `/metrics` to
 * holders of an administrator's client certificate. Everything else is 404 without a hint.
 * @throws port-taken
 */
export async function startSupervisorApi(inputs: SupervisorInputs): Promise<SupervisorApi> {
  const server = createServer({ ...(await tlsFiles(inputs.paths)), requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
  server.on('request', (request, response) => void answer(inputs, request, response));
  await listen(server, inputs.bindAddress);
  inputs.life.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  server.unref();
  return { reloadCertificate: async () => server.setSecureContext(await tlsFiles(inputs.paths)) };
}

async function answer(inputs: SupervisorInputs, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, type: string, body: string): void => {
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
  };
  const text = 'text/plain; charset=utf-8';
  if (request.method !== 'GET') return send(405, text, 'method not allowed\n');
  switch (request.url) {
    case '/ping':
      return send(200, text, 'pong');
    case '/cacerts':
      return send(200, text, await readFile(join(inputs.paths.server.tls, 'server-ca.crt'), 'utf8'));
  }
  if (!isAdministrator(request)) return send(401, text, 'unauthorized\n');
  switch (request.url) {
    case '/healthz':
      return send(200, text, 'ok');
    case '/readyz':
      return inputs.ready() ? send(200, text, 'ok') : send(503, text, 'the control plane is starting\n');
    case '/metrics':
      if (inputs.metrics !== undefined) return send(200, 'text/plain; version=0.0.4; charset=utf-8', inputs.metrics());
  }
  return send(404, text, 'not found\n');
}

/** Node verified the chain against the client CA; the group stands in the organisation. */
function isAdministrator(request: IncomingMessage): boolean {
  if (!(request.socket instanceof TLSSocket) || !request.socket.authorized) return false;
  const organisations = request.socket.getPeerCertificate().subject?.O;
  return [organisations].flat().includes('system:masters');
}

async function tlsFiles(paths: Paths): Promise<{ cert: string; key: string; ca: string }> {
  const read = (name: string): Promise<string> => readFile(join(paths.server.tls, name), 'utf8');
  const [cert, key, ca] = await Promise.all([
    read('serving-kube-apiserver.crt'),
    read('serving-kube-apiserver.key'),
    read('client-ca.crt'),
  ]);
  return { cert, key, ca };
}

function listen(server: Server, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const taken = systemCode(error) === 'EADDRINUSE';
      reject(taken ? fail('port-taken', { port: serverPorts.supervisor, holder: 'another process' }, error) : error);
    });
    server.listen(serverPorts.supervisor, host, resolve);
  });
}
