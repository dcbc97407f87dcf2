import { connect, type NetConnectOpts } from 'node:net';
import { type ProbeOptions, poll } from './poll.ts';

/** Resolves when something accepts TCP connections there. */
export function waitForTcp(target: { readonly host: string; readonly port: number }, options: ProbeOptions): Promise<void> {
  return poll(() => tryConnect({ ...target, signal: options.signal }), options);
}

/** Resolves when something accepts connections on a Unix socket; a socket left over by a dead process does not count. */
export function waitForUnixSocket(path: string, options: ProbeOptions): Promise<void> {
  return poll(() => tryConnect({ path, signal: options.signal }), options);
}

function tryConnect(target: NetConnectOpts & { readonly signal: AbortSignal }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(target, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
