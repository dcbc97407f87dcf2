/** Port 9345: what a server tells nodes and administrators, and where the tunnels of nodes come in. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { systemClock } from '@rfo/foundation';
import { type BrokenAnswer, brokenAnswerer, listen, openConnections } from '@rfo/http';
import { dispatchTunnels, tunnelProtocol } from '@rfo/tunnel';
import type { Paths } from '../paths.ts';
import { serverPorts } from '../server/inputs.ts';
import { createAnswerer } from './answer.ts';
import { createAuthenticator } from './authenticate.ts';
import { certificateIdentity } from './certificate-identity.ts';
import type { SupervisorInputs } from './inputs.ts';
import { createJoins } from './joins.ts';
import { createRequestCounter } from './request-counter.ts';
import { createRoutes } from './router.ts';

export type Supervisor = {
  /** Takes what lies on the disk now: its own certificate, and the CA of clients. Connections that are open stay. */
  readonly reloadCertificate: () => Promise<void>;
  readonly port: number;
};

/** Milliseconds, bytes and counts that keep strangers from holding on to the server. */
const httpBounds = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 8 * 1024,
} as const;

/**
 * Listens until the life ends. Everybody may connect: who is who is decided request by request, in the table of routes.
 * @throws port-taken
 */
export async function startSupervisor(inputs: SupervisorInputs): Promise<Supervisor> {
  const { paths, log, clock = systemClock, tokens, nodeIsKnown = () => undefined, port = serverPorts.supervisor } = inputs;
  const joins = createJoins({ tokens, clock, log });
  const counter = createRequestCounter();
  const routes = createRoutes(inputs, { clock, joins, counters: counter.render });
  const authenticate = createAuthenticator({ tokens, nodeIsKnown, joins, clock });
  const answer = createAnswerer(inputs, { routes, authenticate, joins, counter });

  const server = createServer({
    ...(await tlsFiles(paths)),
    ...httpBounds,
    ALPNProtocols: [tunnelProtocol, 'http/1.1'],
    minVersion: 'TLSv1.2',
    requestCert: true,
    rejectUnauthorized: false,
    // Any CA of the file is trusted, as by the API server: a user's own CA need not bring its root.
    allowPartialTrustChain: true,
    // Nobody is addressed by a name here.
    requireHostHeader: false,
  });
  // The same for all three, else Node answers in its own words before we have looked at who it is.
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const)
    server.on(event, (request, response) => void answer({ request, response }));
  server.on('clientError', brokenAnswerer(brokenRequest));

  const open = openConnections(server);
  dispatchTunnels(server, (socket) => {
    const identity = certificateIdentity(socket, clock.now());
    if (identity.kind === 'node' && nodeIsKnown(identity.nodeName) !== false) return inputs.onTunnel(socket, identity.nodeName);
    const address = socket.remoteAddress ?? 'gone';
    joins.refused({ who: identity.kind, nodeName: undefined, address, path: tunnelProtocol, code: 'join-no-credentials' });
    socket.destroy();
  });
  const listening = await listen(server, { host: inputs.bindAddress, port });
  inputs.life.defer(() => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    return closed;
  });
  server.unref();
  return { reloadCertificate: async () => server.setSecureContext(await tlsFiles(paths)), port: listening };
}

/** The same form as everything else. */
function brokenRequest(_status: number, message: string): BrokenAnswer {
  return { type: 'application/json', body: JSON.stringify({ code: 'request-invalid', message }) };
}

async function tlsFiles({ server }: Paths): Promise<{ cert: string; key: string; ca: string }> {
  const read = (name: string): Promise<string> => readFile(join(server.tls, name), 'utf8');
  const [cert, key, ca] = await Promise.all([
    read('serving-kube-apiserver.crt'),
    read('serving-kube-apiserver.key'),
    read('client-ca.crt'),
  ]);
  return { cert, key, ca };
}
