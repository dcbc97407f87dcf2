/** Passes on a request that asks for another protocol (SPDY, WebSocket), and joins the two connections once the server behind has agreed. */
import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import type { Upstream } from './http-upstream.ts';
import { splice } from './splice.ts';

export type UpgradeForwarding = {
  readonly request: IncomingMessage;
  /** Of the client, with what it has sent behind the request, as the `upgrade` event of a server gives them. */
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly upstream: Upstream;
  /** Path with query, as the server behind knows it. */
  readonly path: string;
  /** All that the server behind is to see; `Connection` and `Upgrade` are added. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The value of `Upgrade`, checked. */
  readonly protocol: string;
  /** Ends it at once on both sides, also when it has long been upgraded. */
  readonly signal: AbortSignal;
  /** Gives the headers to answer with; may throw to have the answer refused. */
  readonly onAnswer: (answer: IncomingMessage) => Readonly<Record<string, string | readonly string[]>>;
  /** Hears the status when the answer begins. */
  readonly onBegun?: ((status: number) => void) | undefined;
};

/**
 * Resolves with the status when both connections are over. Whatever the answer, both are used for nothing else: what a client sends behind a refused
 * upgrade reaches nobody (CVE-2018-1002105).
 * @throws what `connect` of the upstream throws, what `onAnswer` throws, the signal's reason, an error of the network: nothing was answered
 *   then, and the caller has to, as long as the socket is writable
 */
export async function forwardUpgrade(forwarding: UpgradeForwarding): Promise<number> {
  const { socket, upstream, signal } = forwarding;
  // Its errors end in `close`.
  socket.on('error', () => undefined);
  const way = await upstream.open(signal);
  const cut = (): void => {
    way.socket.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  try {
    const { answer, stream, rest } = await ask(forwarding, way.headers, way.socket);
    const status = answer.statusCode ?? 502;
    if (stream === undefined) await passOn(answer, forwarding);
    else await join(answer, { stream, rest }, forwarding);
    return status;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  } finally {
    signal.removeEventListener('abort', cut);
    cut();
  }
}

type Asked = { readonly answer: IncomingMessage; readonly stream: Duplex | undefined; readonly rest: Buffer };

function ask({ request, path, headers, protocol }: UpgradeForwarding, own: Readonly<Record<string, string>>, way: Duplex): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const outgoing = httpRequest({
    createConnection: () => way,
    method: request.method ?? 'GET',
    path,
    setHost: false,
    headers: { ...(headers as Record<string, string | string[]>), ...own, connection: 'Upgrade', upgrade: protocol },
  });
  outgoing.on('error', reject);
  outgoing.once('close', () => reject(new Error('the server closed the connection without an answer')));
  outgoing.once('response', (answer) => resolve({ answer, stream: undefined, rest: Buffer.alloc(0) }));
  outgoing.once('upgrade', (answer, stream, rest) => {
    const agreed = answer.headers.upgrade ?? '';
    if (answer.statusCode !== 101 || agreed.toLowerCase() !== protocol.toLowerCase()) {
      stream.destroy();
      reject(new Error(`the server changed to another protocol than ${protocol}`));
      return;
    }
    resolve({ answer, stream, rest });
  });
  outgoing.end();
  return promise;
}

/** The answer of a server that did not agree: the client gets it, and then the end of its connection. */
function passOn(answer: IncomingMessage, { socket, onAnswer, onBegun }: UpgradeForwarding): Promise<void> {
  const headers = onAnswer(answer);
  onBegun?.(answer.statusCode ?? 502);
  socket.write(renderHead(answer, { ...headers, connection: 'close' }));
  return new Promise((resolve, reject) => {
    // Nothing of what the client sends behind is looked at.
    socket.resume();
    pipeline(answer, socket, (error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    });
  });
}

function join(answer: IncomingMessage, other: { stream: Duplex; rest: Buffer }, forwarding: UpgradeForwarding): Promise<void> {
  const { socket, head, protocol, signal, onAnswer, onBegun } = forwarding;
  const { stream, rest } = other;
  const headers = onAnswer(answer);
  const cut = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', cut, { once: true });
  onBegun?.(101);
  socket.write(renderHead(answer, { ...headers, connection: 'Upgrade', upgrade: protocol }));
  if (rest.length > 0) socket.write(rest);
  if (head.length > 0) stream.write(head);
  return new Promise((resolve) => {
    let open = 2;
    const closed = (): void => {
      if (--open > 0) return;
      signal.removeEventListener('abort', cut);
      resolve();
    };
    for (const each of [socket, stream]) {
      if (each.closed) closed();
      else each.once('close', closed);
    }
    splice(socket, stream);
    if (socket.destroyed) stream.destroy();
    if (signal.aborted) cut();
  });
}

function renderHead(answer: IncomingMessage, headers: Readonly<Record<string, string | readonly string[]>>): Buffer {
  const { statusCode = 502 } = answer;
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((each) => `${name}: ${each}`),
  );
  // Header values are bytes, not UTF-8.
  return Buffer.from(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? 'Unknown'}\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
