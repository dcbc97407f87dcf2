/** For tests: a client of `/ws` that does with its messages what the reference says, and no more. */
import { once } from 'node:events';
import type { WatchMessage } from '@rfo/schema';
import { WebSocket } from 'ws';
import { managerSchema } from '../objects/schema.ts';

export type Page = {
  readonly keys: readonly string[];
  readonly objects: readonly Json[];
  readonly total: number;
  readonly next?: string | undefined;
};
// biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every form
export type Json = any;

export type WatchClient = {
  readonly send: (message: object | string) => void;
  /** Every message so far. */
  readonly messages: readonly WatchMessage[];
  /** The first message, of those that came and those to come, that is accepted. */
  readonly message: (accept: (message: WatchMessage) => boolean) => Promise<WatchMessage>;
  /** The page of a subscription as soon as it is accepted. */
  readonly page: (id: string, accept: (page: Page) => boolean) => Promise<Page>;
  /** What the client would say that it has. */
  readonly known: (id: string) => Readonly<Record<string, string>>;
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
};

/** Rejects with the status and body where the upgrade is refused. */
export async function connectWatch(port: number, headers: Readonly<Record<string, string>>): Promise<WatchClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, managerSchema.watchSubprotocol, { headers, perMessageDeflate: false });
  const messages: WatchMessage[] = [];
  const pages = new Map<string, Page>();
  const looks = new Set<() => void>();
  const closed = once(socket, 'close').then(([code]) => code as number);
  socket.on('message', (data) => {
    const message = managerSchema.parseWatchMessage(JSON.parse(String(data)));
    messages.push(message);
    if (message.type === 'snapshot' || message.type === 'changes') pages.set(message.id, apply(pages.get(message.id), message));
    for (const look of [...looks]) look();
  });
  const until = <T>(find: () => T | undefined, what: () => string): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(what())), 90_000);
      const look = (): void => {
        const found = find();
        if (found === undefined) return;
        clearTimeout(timer);
        looks.delete(look);
        resolve(found);
      };
      looks.add(look);
      look();
    });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve).on('error', reject);
    socket.once('unexpected-response', (_, response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk))).on('end', () => reject(new Error(`${response.statusCode} ${text}`)));
    });
  });
  return {
    ...{ socket, messages, closed },
    send: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    message: (accept) =>
      until(
        () => messages.find(accept),
        () => `no such message in ${JSON.stringify(messages).slice(0, 2000)}`,
      ),
    page: (id, accept) =>
      until(
        () => {
          const page = pages.get(id);
          return page !== undefined && accept(page) ? page : undefined;
        },
        () => `${id} is ${JSON.stringify(pages.get(id)?.keys)} after ${JSON.stringify(messages.at(-1)).slice(0, 2000)}`,
      ),
    known: (id) => {
      const { keys = [], objects = [] } = pages.get(id) ?? {};
      return Object.fromEntries(keys.map((key, at) => [key, objects[at].resourceVersion ?? objects[at].metadata.resourceVersion]));
    },
  };
}

function apply(before: Page | undefined, message: Extract<WatchMessage, { readonly type: 'snapshot' | 'changes' }>): Page {
  const old = message.type === 'snapshot' ? [] : (before?.keys.map((key, at) => [key, before.objects[at]]) ?? []);
  const objects: Record<string, unknown> = { ...Object.fromEntries(old), ...message.objects };
  const keys = message.order ?? before?.keys ?? [];
  return { keys, objects: keys.map((key) => objects[key]), total: message.total, next: message.next };
}
