// One WebSocket to a manager, and what it tells of one list. Its messages stand in docs/reference/manager-watch.md.
import { on } from 'node:events';
import type { Agent } from 'node:https';
import { text } from 'node:stream/consumers';
import { fail, orAbort, type RfoError } from '@rfo/foundation';
import { loadManagerSchema, type WatchMessage, type WatchSubscribe } from '@rfo/schema';
import { errorOf, type ManagerAddress } from './exchange.ts';
import { refusal, refusalTold } from './refusal.ts';

export type ListRequest = Pick<WatchSubscribe, 'of' | 'known'> & {
  readonly filter: readonly string[];
  readonly selector?: string | undefined;
  readonly search?: string | undefined;
  readonly sort?: string | undefined;
  /** At most 1000. */
  readonly pageSize: number;
};
export type ListMessage = Extract<WatchMessage, { readonly type: 'snapshot' | 'changes' | 'interrupted' }>;

/** Milliseconds until there is a WebSocket. */
const openWithin = 30_000;
/** The manager asks every 30 s whether somebody is there: who hears nothing for so long (ms) has lost it. */
const silentAfter = 75_000;
const id = 'list';

/**
 * Subscribes to a list and gives what is told of it. It never just ends.
 * @throws manager-unreachable, manager-untrusted, manager-busy, manager-session-over, manager-refused, manager-answer-invalid, or the signal's reason
 */
export async function* watchMessages(
  to: {
    readonly address: ManagerAddress;
    readonly agent: Agent;
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
  },
  request: ListRequest,
): AsyncGenerator<ListMessage> {
  const { server } = to.address;
  // Loaded only here: no other command needs them.
  const [{ WebSocket }, schema] = await Promise.all([import('ws'), loadManagerSchema()]);
  const socket = new WebSocket(`${server.replace(/^http/, 'ws')}/ws`, schema.watchSubprotocol, {
    ...{ agent: to.agent, headers: to.headers, perMessageDeflate: false, handshakeTimeout: openWithin },
    // A page of a thousand objects of Kubernetes, each of which may have a megabyte and more.
    maxPayload: 0,
  });
  const failed = new Promise<never>((_, reject) => {
    // Stays for good: what comes after the first error means nothing any more, but would end the process.
    socket.on('error', (error) => reject(errorOf(server, error)));
    socket.once('close', (code) => reject(closed(server, code, schema.watchCloseCodes.accessWithdrawn)));
    socket.once('unexpected-response', (_, response) => {
      const signedIn = 'authorization' in to.headers;
      text(response).then(
        (body) => reject(refusal({ server, status: response.statusCode ?? 0, body, path: '/ws', signedIn })),
        (error: unknown) => reject(errorOf(server, error)),
      );
    });
  });
  failed.catch(() => undefined);
  const silence = setTimeout(() => socket.terminate(), silentAfter);
  for (const sign of ['ping', 'message']) socket.on(sign, () => silence.refresh());
  socket.once('open', () => socket.send(renderRequest(request, schema.longestWatchRequest)));
  const messages = on(socket, 'message');
  try {
    for (;;) {
      // What came before the end is heard first.
      const next = await orAbort(Promise.race([messages.next(), failed]), to.signal);
      const [data] = next.value ?? [];
      const message = parse(server, String(data), schema.parseWatchMessage);
      if (message.type === 'error') throw refusalTold(server, message);
      if (message.type !== 'pong') yield message;
    }
  } finally {
    clearTimeout(silence);
    await messages.return?.();
    socket.terminate();
  }
}

/** What is known is left out where there is so much of it that the manager would not take it. */
function renderRequest({ known, ...rest }: ListRequest, longest: number): string {
  const request = { type: 'subscribe', id, ...rest };
  const whole = JSON.stringify({ ...request, known });
  return Buffer.byteLength(whole) <= longest ? whole : JSON.stringify(request);
}

function parse(server: string, message: string, read: (value: unknown) => WatchMessage): WatchMessage {
  try {
    return read(JSON.parse(message));
  } catch (error) {
    throw fail('manager-answer-invalid', { server, path: '/ws', problem: 'it tells what is not in the protocol' }, error);
  }
}

/** @param code RFC 6455 §7.4 */
function closed(server: string, code: number, withdrawn: number): RfoError {
  if (code === withdrawn) return fail('manager-session-over', { server, problem: 'it has ended' });
  if (code === 1001) return fail('manager-busy', { server, problem: 'this replica of it is stopping' });
  return fail('manager-unreachable', { server, problem: `the connection has ended (${code})` });
}
