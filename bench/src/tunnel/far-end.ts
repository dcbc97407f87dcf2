/**
 * A process of the benchmark other than the server's. As `node` it keeps tunnels: two whose streams end in this process, so that nothing
 * but the tunnel is measured (one of them in a WebSocket), and one that reaches TCP targets as a node does. As `target` it is these targets.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { Life, silentLog } from '@rfo/foundation';
import { keepTunnel, type Target } from '@rfo/tunnel';
import { openService, type Service, services } from './services.ts';

export type Credentials = { readonly ca: string; readonly cert: string; readonly key: string };
export type Role =
  | {
      readonly role: 'node';
      readonly credentials: Credentials;
      readonly ports: { readonly inProcess: number; readonly tcp: number; readonly websocket: number };
    }
  | { readonly role: 'target' };
/** What a target tells of itself. */
export type TargetPorts = Readonly<Record<Service, number>>;

const life = new Life();
// Its parent is gone or needs it no longer.
process.once('disconnect', () => process.exit());
process.once('message', (role: Role) => void (role.role === 'node' ? keepTunnels(role) : serveTargets()));

function keepTunnels({ credentials, ports }: Role & { readonly role: 'node' }): void {
  const common = { host: '127.0.0.1', tls: async () => credentials, allow: () => true, life, log: silentLog };
  const reach = ({ host }: Target): Duplex => {
    const stream = openService(services.find((each) => each === host) ?? 'sink');
    process.nextTick(() => stream.emit('connect'));
    return stream;
  };
  keepTunnel({ ...common, port: ports.tcp });
  keepTunnel({ ...common, port: ports.inProcess, reach });
  keepTunnel({ ...common, port: ports.websocket, reach, websocket: () => ({ path: '/', headers: {} }) });
}

async function serveTargets(): Promise<void> {
  const listening = services.map(async (service) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const own = openService(service);
      socket.on('error', () => own.destroy());
      socket.pipe(own).pipe(socket);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return [service, (server.address() as AddressInfo).port];
  });
  process.send?.(Object.fromEntries(await Promise.all(listening)));
}
