/** Real servers for the tests: in this process, and in processes of their own that can be killed and halted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { type LoadBalancer, type LoadBalancerOptions, startLoadBalancer } from './load-balancer.ts';

/** A server in this process; without `serve` it says its name, then gives back what it gets. */
export async function startServer(
  t: TestContext,
  name: string,
  options: { readonly port?: number; readonly serve?: (socket: Socket) => void } = {},
): Promise<{ readonly at: string; readonly port: number; readonly stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    if (options.serve) return options.serve(socket);
    socket.write(name);
    socket.pipe(socket);
    return undefined;
  });
  await once(server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  t.after(stop);
  return { at: `127.0.0.1:${port}`, port, stop };
}

export type OwnProcess = { readonly at: string; readonly port: number; readonly signal: (signal: NodeJS.Signals) => Promise<void> };

/** The same in a process of its own. A halted one still accepts by its kernel; `backlog` says how many. */
export async function startProcess(t: TestContext, name: string, options: { readonly backlog?: number } = {}): Promise<OwnProcess> {
  const script = `
    const server = require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined).write(${JSON.stringify(name)});
      socket.pipe(socket);
    });
    server.listen({ port: 0, host: '127.0.0.1', backlog: ${options.backlog ?? 511} }, () => console.log(server.address().port));
  `;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const port = Number(String(line));
  return { at: `127.0.0.1:${port}`, port, signal: (signal) => send(child, signal) };
}

async function send(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = signal === 'SIGKILL' ? once(child, 'exit') : undefined;
  child.kill(signal);
  await exited;
}

export type Balanced = {
  readonly balancer: LoadBalancer;
  readonly life: Life;
  readonly changes: (string | undefined)[];
};

export async function startBalancer(
  t: TestContext,
  servers: readonly string[],
  options: Partial<LoadBalancerOptions> = {},
): Promise<Balanced> {
  const life = new Life();
  t.after(() => life.end());
  const changes: (string | undefined)[] = [];
  const balancer = await startLoadBalancer({
    ...{ listen: { host: '127.0.0.1', port: 0 }, servers, life, log: silentLog },
    onChange: (active) => changes.push(active),
    ...options,
  });
  return { balancer, life, changes };
}

export type Client = {
  readonly socket: Socket;
  /** The next bytes; rejects when the connection ends before. */
  readonly next: () => Promise<string>;
  /** Resolves when it is closed, with the error code of the break if it was one. */
  readonly closed: Promise<string | undefined>;
};

export function startClient(t: TestContext, balancer: LoadBalancer): Client {
  const socket = connect({ ...balancer.address, allowHalfOpen: true });
  t.after(() => socket.destroy());
  const closed = Promise.withResolvers<string | undefined>();
  const heard: string[] = [];
  const news = new EventEmitter();
  let over = false;
  let code: string | undefined;
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard.push(text);
    news.emit('news');
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  socket.on('close', () => {
    over = true;
    news.emit('news');
    closed.resolve(code);
  });
  return {
    socket,
    closed: closed.promise,
    next: async () => {
      while (heard.length === 0) {
        if (over) throw new Error(`closed: ${code ?? 'without an error'}`);
        await once(news, 'news', { signal: t.signal });
      }
      return heard.splice(0).join('');
    },
  };
}
