/** Connects to the first of several servers that accepts: the next is asked beside one that is slow, and instead of one that refuses. */
import { connect, type Socket } from 'node:net';

export type Endpoint = { readonly host: string; readonly port: number };

export type Race<Server extends Endpoint> = {
  readonly socket: Socket;
  readonly server: Server;
  /** Those that were asked before it and have not accepted. */
  readonly passed: readonly Server[];
};

/**
 * @param options.groups servers in the order in which they are to be asked; a group only when all of those before have refused
 * @param options.stagger ms after which the next of the group is asked as well
 * @param options.within ms for one to accept
 * @param options.onRefused hears of each that refused or did not accept in time
 * @returns undefined when none accepts, or when the signal aborts; nothing is left open then
 */
export function connectFirst<Server extends Endpoint>(options: {
  readonly groups: readonly (readonly Server[])[];
  readonly stagger: number;
  readonly within: number;
  readonly signal: AbortSignal;
  readonly onRefused: (server: Server, problem: string) => void;
}): Promise<Race<Server> | undefined> {
  const { groups, stagger, within, signal, onRefused } = options;
  const servers = groups.flatMap((group) => group.map((server) => ({ server, group })));
  return new Promise((resolve) => {
    const attempts = new Map<Server, { readonly socket: Socket; readonly deadline: NodeJS.Timeout }>();
    let asked = 0;
    let timer: NodeJS.Timeout | undefined;
    let over = false;

    const finish = (winner?: Server): void => {
      over = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      for (const [server, { socket, deadline }] of attempts) {
        clearTimeout(deadline);
        if (server !== winner) socket.destroy();
      }
      const socket = winner && attempts.get(winner)?.socket;
      const passed = servers.slice(0, asked).flatMap(({ server }) => (server === winner ? [] : [server]));
      resolve(winner && socket && { socket, server: winner, passed });
    };
    const abort = (): void => finish();
    const askNext = (): void => {
      clearTimeout(timer);
      const next = servers[asked];
      const current = servers[asked - 1]?.group;
      if (next === undefined || (next.group !== current && attempts.size > 0)) {
        if (attempts.size === 0) finish();
        return;
      }
      const { server } = next;
      asked++;
      const socket = connect({ host: server.host, port: server.port, allowHalfOpen: true, noDelay: true });
      const deadline = setTimeout(() => socket.destroy(new Error(`does not accept within ${within / 1000} s`)), within);
      attempts.set(server, { socket, deadline });
      socket.once('error', (error) => {
        if (over) return;
        clearTimeout(deadline);
        attempts.delete(server);
        onRefused(server, error.message);
        askNext();
      });
      socket.once('connect', () => {
        if (!over) finish(server);
      });
      timer = setTimeout(askNext, stagger);
    };

    if (signal.aborted) {
      finish();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    askNext();
  });
}
