/**
 * The client of the benchmark, a process of its own: sends the requests that it is given over kept connections, each connection the next one when it
 * has its answer, and tells how many were answered and how long each took. It speaks HTTP/1.1 on bare sockets, so that it costs little beside
 * what it measures.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { isWhole, serveLoads } from '../load-process.ts';
import { percentile } from '../statistics.ts';

export type Load = {
  readonly port: number;
  /** Whole HTTP requests as latin1, sent in turns. */
  readonly requests: readonly string[];
  /** What every answer must hold: an answer that refuses is quick, and worth nothing. */
  readonly expect: string;
  readonly connections: number;
  readonly milliseconds: number;
};

export type Measured = {
  readonly answers: number;
  readonly seconds: number;
  /** Milliseconds from the first byte of a request to the last of its answer. */
  readonly p50: number;
  readonly p99: number;
};

serveLoads(run);

async function run({ port, requests, expect, connections, milliseconds }: Load): Promise<Measured> {
  const bytes = requests.map((request) => Buffer.from(request, 'latin1'));
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const times: number[] = [];
  const start = performance.now();
  const end = start + milliseconds;
  let turn = 0;
  const next = (): Buffer => bytes[turn++ % bytes.length] ?? Buffer.alloc(0);
  try {
    await Promise.all(sockets.map((socket) => ask(socket, { next, expect, end, times })));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  const seconds = (performance.now() - start) / 1000;
  return { answers: times.length, seconds, p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket;
}

type Asking = { readonly next: () => Buffer; readonly expect: string; readonly end: number; readonly times: number[] };

/** One request after the other until the time is over. */
function ask(socket: Socket, { next, expect, end, times }: Asking): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    let begun = 0;
    const send = (): void => {
      begun = performance.now();
      answer = '';
      if (begun < end) socket.write(next());
      else resolve();
    };
    socket.on('data', (data: Buffer) => {
      answer += data.toString('latin1');
      if (!isWhole(answer)) return;
      times.push(performance.now() - begun);
      if (answer.startsWith('HTTP/1.1 200 ') && answer.includes(expect)) return send();
      reject(new Error(`an answer without ${expect}: ${answer.slice(0, 1000)}`));
    });
    socket.on('error', reject).on('close', () => reject(new Error('the server closed a connection')));
    send();
  });
}
