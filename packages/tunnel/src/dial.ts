/** Dials a server once. */
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Connection, openConnection } from './connection.ts';
import { type Target, tunnelProtocol } from './protocol.ts';
import type { Reach } from './serve-stream.ts';

/** Milliseconds for the server to accept, and for it to say its first words of the tunnel after that. */
const connectWithin = 1000;
const greetWithin = 2000;

export type DialOptions = {
  readonly host: string;
  readonly port: number;
  readonly tls: () => Promise<{ readonly ca: string; readonly cert: string; readonly key: string }>;
  readonly allow: (target: Target) => boolean;
  readonly reach?: Reach | undefined;
};

/** Resolves once the server has accepted the tunnel. Rejects with what is wrong, or with the signal's reason; then nothing is left open. */
export async function dial(options: DialOptions & { readonly signal: AbortSignal }): Promise<Connection> {
  const { host, port, signal } = options;
  const credentials = await options.tls();
  signal.throwIfAborted();
  const socket = connect({ ...tlsOptions, ...credentials, host, port, ...(isIP(host) === 0 && { servername: host }) });
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      then();
    };
    const failed = (error: unknown): void => {
      settle(() => reject(error));
      socket.destroy();
    };
    const abort = (): void => failed(signal.reason);
    let timer = setTimeout(failed, connectWithin, new Error(`no connection within ${connectWithin / 1000} s`));
    signal.addEventListener('abort', abort, { once: true });
    // Stays for good: an error after the first means nothing any more, but would end the process.
    socket.on('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(failed, greetWithin, new Error(`no tunnel within ${greetWithin / 1000} s of connecting`));
    });
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== tunnelProtocol) return failed(new Error(`it does not speak ${tunnelProtocol}`));
      greet(socket, options, (connection) => settle(() => resolve(connection)), failed);
    });
  });
}

const tlsOptions: ConnectionOptions = { ALPNProtocols: [tunnelProtocol], minVersion: 'TLSv1.3' };

/** A server that does not want the certificate says so only now, after its handshake. */
function greet(socket: TLSSocket, options: DialOptions, onUp: (connection: Connection) => void, onFailed: (error: unknown) => void): void {
  const connection = openConnection(socket, options);
  connection.session.once('remoteSettings', () => onUp(connection));
  void connection.ended.then((reason) => onFailed(new Error(reason)));
}
