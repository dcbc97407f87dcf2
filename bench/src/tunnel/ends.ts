/** Both ends of the tunnels that are measured: this process is the server, two children are the node and its TCP targets. */
import type { ChildProcess } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import type { Life } from '@rfo/foundation';
import {
  type AltName,
  decodeCertificate,
  encodeKey,
  encodePem,
  generateKey,
  identity,
  issueCertificate,
  issueSelfSigned,
  publicKeyBytes,
  type Signer,
} from '@rfo/pki';
import { acceptTunnel, createWebSocketAcceptor, type Tunnel, tunnelProtocol } from '@rfo/tunnel';
import { forkFor } from '../child.ts';
import type { Credentials, Role, TargetPorts } from './far-end.ts';

export type Ends = {
  /** Its targets are the services, in the node's process. */
  readonly inProcess: Tunnel;
  readonly tcp: Tunnel;
  /** As `inProcess`, in a WebSocket: what passes a layer-7 hop. */
  readonly websocket: Tunnel;
  readonly targets: TargetPorts;
};

export async function startEnds(life: Life): Promise<Ends> {
  const authority = makeAuthority();
  const server = credentialsOf(authority, 'rfo-server', [{ type: 'ip', value: '127.0.0.1' }]);
  const [inProcess, tcp, websocket] = await Promise.all([listen(server, life), listen(server, life), listenForUpgrade(server, life)]);
  const start = (role: Role): ChildProcess => {
    const child = forkFor(new URL('./far-end.ts', import.meta.url), life);
    child.send(role);
    return child;
  };
  const target = start({ role: 'target' });
  const [targets] = (await once(target, 'message')) as [TargetPorts];
  start({
    role: 'node',
    credentials: credentialsOf(authority, 'system:node:bench', []),
    ports: { inProcess: inProcess.port, tcp: tcp.port, websocket: websocket.port },
  });
  return { inProcess: await inProcess.tunnel, tcp: await tcp.tunnel, websocket: await websocket.tunnel, targets };
}

type Listening = { readonly port: number; readonly tunnel: Promise<Tunnel> };

async function listen(credentials: Credentials, life: Life): Promise<Listening> {
  const tunnel = Promise.withResolvers<Tunnel>();
  const server = createServer({ ...credentials, requestCert: true, ALPNProtocols: [tunnelProtocol] }, (socket) => {
    const accepted = acceptTunnel(socket);
    life.defer(() => accepted.close());
    tunnel.resolve(accepted);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  life.defer(() => server.close());
  return { port: (server.address() as AddressInfo).port, tunnel: tunnel.promise };
}

/** A server that speaks HTTP/1.1 alone, so that the other end asks for a WebSocket. */
async function listenForUpgrade(credentials: Credentials, life: Life): Promise<Listening> {
  const tunnel = Promise.withResolvers<Tunnel>();
  const acceptor = createWebSocketAcceptor();
  const server = createHttpsServer({ ...credentials, ALPNProtocols: ['http/1.1'] });
  server.on('upgrade', (request, socket, head) => {
    acceptor.accept(request, socket, head).then((carrier) => {
      const accepted = acceptTunnel(carrier);
      life.defer(() => accepted.close());
      tunnel.resolve(accepted);
    }, tunnel.reject);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  life.defer(() => server.close());
  return { port: (server.address() as AddressInfo).port, tunnel: tunnel.promise };
}

const day = 86_400_000;

export function makeAuthority(): Signer {
  const key = generateKey();
  const validity = { notBefore: Date.now() - day, notAfter: Date.now() + day };
  const publicKey = publicKeyBytes(createPublicKey(key));
  return { key, certificate: decodeCertificate(issueSelfSigned({ subject: identity('bench'), publicKey, ca: {}, ...validity }, key)) };
}

/** A certificate for loopback or a name, its key and its CA, in PEM. */
export function credentialsOf(authority: Signer, name: string, altNames: readonly AltName[]): Credentials {
  const key = generateKey();
  const { notBefore, notAfter } = authority.certificate;
  const publicKey = publicKeyBytes(createPublicKey(key));
  const usages = ['serverAuth', 'clientAuth'] as const;
  const der = issueCertificate({ subject: identity(name), publicKey, notBefore, notAfter, usages, altNames }, authority);
  return { ca: encodePem('CERTIFICATE', authority.certificate.der), cert: encodePem('CERTIFICATE', der), key: encodeKey(key) };
}
