/**
 * The client of the door, a process of its own: sends a request whenever one is due, whether those before it are answered or not, over connections that
 * are kept, and tells how long each took. It speaks HTTP/1.1 on bare sockets, so that it costs little beside what it measures.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { isWhole, serveLoads } from '../load-process.ts';
import { percentile } from '../statistics.ts';

export type Load = {
  readonly port: number;
  /** PEM of the authority; plain HTTP when left out. */
  readonly ca: string | undefined;
  /** A whole HTTP request as latin1. */
  readonly request: string;
  /** What every answer must hold: an answer that refuses is quick, and worth nothing. */
  readonly expect: string;
  /** Requests in a second. */
  readonly rate: number;
  readonly milliseconds: number;
};

export type Measured = {
  /** That were sent, those of the warm-up too. */
  readonly requests: number;
  /** Milliseconds from the first byte of a request to the last of its answer. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds by which 99 of 100 requests were sent too late at most. */
  readonly late: number;
  /** Requests that were not sent because too many waited for their answers. */
  readonly unsent: number;
};

serveLoads(run);

/** Connections at most: beyond that the other side does not keep up. */
const mostConnections = 128;
/** Share of the time that is not counted: connections are opened, code gets warm. */
const warmUp = 0.25;
/** Milliseconds for what is under way at the end. */
const lastAnswers = 10_000;

async function run(load: Load): Promise<Measured> {
  const { rate, milliseconds, request, expect } = load;
  const bytes = Buffer.from(request, 'latin1');
  const all = new Set<Socket>();
  const idle: Socket[] = [];
  const times: number[] = [];
  const lates: number[] = [];
  let unsent = 0;
  const pending = new Set<Promise<void>>();
  const total = Math.ceil((rate * milliseconds * (1 + warmUp)) / 1000);
  const skipped = Math.floor((total * warmUp) / (1 + warmUp));
  const send = async (index: number, due: number): Promise<void> => {
    const late = performance.now() - due;
    if (idle.length === 0 && all.size >= mostConnections) {
      unsent++;
      return;
    }
    const socket = idle.pop() ?? (await open(load, all));
    const begun = performance.now();
    await ask(socket, bytes, expect);
    if (index >= skipped) {
      times.push(performance.now() - begun);
      lates.push(late);
    }
    idle.push(socket);
  };
  const start = performance.now();
  try {
    await new Promise<void>((resolve, reject) => {
      let sent = 0;
      const tick = (): void => {
        for (; sent < total && start + (sent * 1000) / rate <= performance.now(); sent++) {
          const one = send(sent, start + (sent * 1000) / rate);
          pending.add(one);
          one.then(() => pending.delete(one), reject);
        }
        if (sent === total) resolve();
        else setTimeout(tick, Math.max(0, start + (sent * 1000) / rate - performance.now()));
      };
      tick();
    });
    const limit = new Promise((_, reject) => setTimeout(reject, lastAnswers, new Error('answers are missing')).unref());
    await Promise.race([Promise.all(pending), limit]);
  } finally {
    for (const socket of all) socket.destroy();
  }
  return { requests: total - unsent, p50: percentile(times, 0.5), p99: percentile(times, 0.99), late: percentile(lates, 0.99), unsent };
}

async function open({ port, ca }: Load, all: Set<Socket>): Promise<Socket> {
  const secure = ca !== undefined;
  const socket = secure ? connectTls({ port, host: '127.0.0.1', ca, ALPNProtocols: ['http/1.1'] }) : connect({ port, host: '127.0.0.1' });
  all.add(socket);
  socket.setNoDelay(true);
  await once(socket, secure ? 'secureConnect' : 'connect');
  return socket;
}

function ask(socket: Socket, request: Buffer, expect: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const settle = (then: () => void): void => {
      socket.off('data', take).off('error', reject).off('close', closed);
      then();
    };
    const closed = (): void => settle(() => reject(new Error(`a connection was closed after: ${answer.slice(0, 500)}`)));
    const take = (data: Buffer): void => {
      answer += data.toString('latin1');
      if (!isWhole(answer)) return;
      if (answer.startsWith('HTTP/1.1 200 ') && answer.includes(expect)) settle(resolve);
      else settle(() => reject(new Error(`an answer without ${expect}: ${answer.slice(0, 1000)}`)));
    };
    socket.on('data', take).on('error', reject).on('close', closed);
    socket.write(request);
  });
}
