/** Both ends of the tunnels that are measured: this process is the server, two children are the node and its TCP targets. */
import { type ChildProcess, fork } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
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
import { acceptTunnel, type Tunnel, tunnelProtocol } from '@rfo/tunnel';
import type { Credentials, Role, TargetPorts } from './far-end.ts';

export type Ends = {
  /** Its targets are the services, in the node's process. */
  readonly inProcess: Tunnel;
  readonly tcp: Tunnel;
  readonly targets: TargetPorts;
};

export async function startEnds(life: Life): Promise<Ends> {
  const authority = makeAuthority();
  const server = credentialsOf(authority, 'rfo-server', [{ type: 'ip', value: '127.0.0.1' }]);
  const [inProcess, tcp] = await Promise.all([listen(server, life), listen(server, life)]);
  const target = start({ role: 'target' }, life);
  const [targets] = (await once(target, 'message')) as [TargetPorts];
  start(
    { role: 'node', credentials: credentialsOf(authority, 'system:node:bench', []), inProcessPort: inProcess.port, tcpPort: tcp.port },
    life,
  );
  return { inProcess: await inProcess.tunnel, tcp: await tcp.tunnel, targets };
}

function start(role: Role, life: Life): ChildProcess {
  const child = fork(new URL('./far-end.ts', import.meta.url), { execArgv: ['--disable-warning=ExperimentalWarning'] });
  life.defer(async () => {
    const exited = once(child, 'exit');
    if (child.exitCode === null && child.kill('SIGKILL')) await exited;
  });
  child.send(role);
  return child;
}

async function listen(credentials: Credentials, life: Life): Promise<{ readonly port: number; readonly tunnel: Promise<Tunnel> }> {
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

const day = 86_400_000;

function makeAuthority(): Signer {
  const key = generateKey();
  const validity = { notBefore: Date.now() - day, notAfter: Date.now() + day };
  const publicKey = publicKeyBytes(createPublicKey(key));
  return { key, certificate: decodeCertificate(issueSelfSigned({ subject: identity('bench'), publicKey, ca: {}, ...validity }, key)) };
}

function credentialsOf(authority: Signer, name: string, altNames: readonly AltName[]): Credentials {
  const key = generateKey();
  const { notBefore, notAfter } = authority.certificate;
  const publicKey = publicKeyBytes(createPublicKey(key));
  const usages = ['serverAuth', 'clientAuth'] as const;
  const der = issueCertificate({ subject: identity(name), publicKey, notBefore, notAfter, usages, altNames }, authority);
  return { ca: encodePem('CERTIFICATE', authority.certificate.der), cert: encodePem('CERTIFICATE', der), key: encodeKey(key) };
}
