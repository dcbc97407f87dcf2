/**
 * Sends requests to a manager from the host that it runs on: standard input is one `Exchange` in JSON, standard output its `Outcome`. What is held
 * (watches, shells) is opened first; then the others are sent, and it is measured when what was held ends.
 */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Duplex } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { connect } from 'node:tls';

export type Ask = {
  /** GET by default. */
  readonly method?: string;
  /** Sent as it is. */
  readonly path: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Asks for a WebSocket, with this protocol. */
  readonly socket?: string;
};
export type Exchange = {
  /** `https://host:port` */
  readonly address: string;
  readonly held?: readonly Ask[];
  /** Ends what is held when the others are answered, instead of waiting for its end. */
  readonly letGo?: boolean;
  readonly asks?: readonly Ask[];
  /** So many of them at once; 1 by default. */
  readonly atOnce?: number;
  /** Sent after them, again and again until it is refused. */
  readonly untilRefused?: Ask;
  /** What is written to a connection as it is, each on one of its own, all at once. */
  readonly raw?: readonly string[];
};
export type Answer = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };
export type Outcome = {
  readonly answers: readonly Answer[];
  /** All that came before the connection was closed; undefined where it was not closed within the patience. */
  readonly raw: readonly (string | undefined)[];
  /** `after`: ms from the first of the other answers to the end; undefined where it did not end within the patience. */
  readonly held: readonly { readonly status: number; readonly after?: number }[];
  /** `tries`: how often `untilRefused` was sent, the refused one included. `after`: as above. */
  readonly refused?: { readonly status: number; readonly tries: number; readonly after: number };
};

/** Milliseconds for an answer, and for the end of what was held. */
const patience = 60_000;

type Held = { readonly status: number; readonly ended: Promise<number>; readonly end: () => void };

if (import.meta.main) {
  const exchange = (await json(process.stdin)) as Exchange;
  // What is still open must not keep it.
  process.stdout.write(JSON.stringify(await carryOut(exchange)), () => process.exit());
}

async function carryOut({ address, held = [], letGo = false, asks = [], atOnce = 1, untilRefused, raw = [] }: Exchange): Promise<Outcome> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const open = await Promise.all(held.map((ask) => hold(address, ask)));
  const answers: Answer[] = [];
  const left = asks.entries();
  let first: number | undefined;
  const worker = async (): Promise<void> => {
    for (const [index, ask] of left) {
      answers[index] = await answerTo(address, ask, agent);
      first ??= performance.now();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const done = first ?? performance.now();
  const refused = untilRefused === undefined ? undefined : await repeat(address, { ask: untilRefused, agent, since: done });
  if (letGo) for (const { end } of open) end();
  const endings = open.map(async ({ status, ended }) => {
    const at = await Promise.race([ended, late()]);
    return { status, ...(at !== undefined && { after: at - done }) };
  });
  return {
    answers,
    raw: await Promise.all(raw.map((bytes) => exchangeRaw(address, bytes))),
    held: await Promise.all(endings),
    ...(refused !== undefined && { refused }),
  };
}

async function repeat(
  address: string,
  { ask, agent, since }: { readonly ask: Ask; readonly agent: Agent; readonly since: number },
): Promise<NonNullable<Outcome['refused']>> {
  for (let tries = 1; ; tries++) {
    const { status } = await answerTo(address, ask, agent);
    const after = performance.now() - since;
    if (status === 401 || status === 403) return { status, tries, after };
    if (after > patience) throw new Error(`it is not refused after ${tries} tries: ${status}`);
  }
}

async function answerTo(address: string, ask: Ask, agent: Agent): Promise<Answer> {
  const sent = begin(address, ask, agent);
  const upgraded = Promise.withResolvers<Answer>();
  sent.once('upgrade', ({ statusCode = 0 }: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined).destroy();
    upgraded.resolve({ status: statusCode, headers: {}, body: '' });
  });
  const answered = once(sent, 'response', { signal: AbortSignal.timeout(patience) }).then(([response]) =>
    read(response as IncomingMessage),
  );
  sent.end(ask.body);
  return await Promise.race([answered, upgraded.promise]);
}

async function read(response: IncomingMessage): Promise<Answer> {
  const headers = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  return { status: response.statusCode ?? 0, headers, body: await text(response) };
}

/** Resolves when it is open, or was refused. */
async function hold(address: string, ask: Ask): Promise<Held> {
  const sent = begin(address, ask, undefined);
  const { promise, resolve, reject } = Promise.withResolvers<Held>();
  const ended = Promise.withResolvers<number>();
  const follow = (status: number, stream: Duplex | IncomingMessage): void => {
    stream.once('close', () => ended.resolve(performance.now()));
    resolve({ status, ended: ended.promise, end: () => stream.destroy() });
  };
  sent.once('response', (response) => {
    response.on('error', () => undefined).resume();
    follow(response.statusCode ?? 0, response);
  });
  sent.once('upgrade', (response, socket: Duplex) => {
    socket.on('error', () => undefined).resume();
    follow(response.statusCode ?? 0, socket);
  });
  sent.once('error', reject).end(ask.body);
  return await promise;
}

function begin(address: string, { method = 'GET', path, token, headers, body, socket }: Ask, agent: Agent | undefined) {
  const { hostname, port } = new URL(address);
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const upgrade = {
    'connection': 'Upgrade',
    'upgrade': 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  return request({
    ...{ host: hostname, port, method, path, rejectUnauthorized: false, agent: agent ?? false },
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
      ...(socket !== undefined && { ...upgrade, 'sec-websocket-protocol': socket }),
      ...headers,
    },
  });
}

async function exchangeRaw(address: string, bytes: string): Promise<string | undefined> {
  const { hostname, port } = new URL(address);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  let seen = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    seen += chunk;
  });
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(seen)));
  socket.write(bytes, 'latin1');
  return await Promise.race([closed, late()]);
}

function late(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), patience).unref());
}
