/** Measures the figures of one round. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { sleep } from '@rfo/foundation';
import type { Target, Tunnel } from '@rfo/tunnel';
import { percentile } from '../statistics.ts';
import type { Ends } from './ends.ts';
import { names, type Sample } from './figures.ts';
import type { TunnelBenchOptions } from './options.ts';
import type { Service } from './services.ts';

const megabyte = 1e6;
const chunk = Buffer.alloc(64 * 1024);

export async function measureRound(
  { inProcess, tcp, websocket, targets }: Ends,
  options: TunnelBenchOptions,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const here = (service: Service): Target => ({ host: service, port: 1 });
  const there = (service: Service): Target => ({ host: '127.0.0.1', port: targets[service] });
  const run = { ms: options.seconds * 1000, signal };
  const speed = async (what: string, measured: Promise<number>): Promise<Sample> => ({ what, unit: 'MB/s', value: await measured });
  const many = options.streams;
  return [
    await speed(names.down, download(inProcess, here('source'), 1, run)),
    await speed(names.up, upload(inProcess, here('sink'), 1, run)),
    await speed(`${names.manyDown} (${many})`, download(inProcess, here('source'), many, run)),
    await speed(`${names.manyUp} (${many})`, upload(inProcess, here('sink'), many, run)),
    await speed(names.tcpDown, download(tcp, there('source'), 1, run)),
    await speed(names.tcpUp, upload(tcp, there('sink'), 1, run)),
    await speed(names.websocketDown, download(websocket, here('source'), 1, run)),
    await speed(names.websocketUp, upload(websocket, here('sink'), 1, run)),
    ...percentiles(names.idle, await askFor(inProcess, here('echo'), run)),
    ...percentiles(names.busy, await besideBulk(inProcess, here, () => askFor(inProcess, here('echo'), run))),
    ...percentiles(names.websocketIdle, await askFor(websocket, here('echo'), run)),
    ...percentiles(names.websocketBusy, await besideBulk(websocket, here, () => askFor(websocket, here('echo'), run))),
    ...percentiles(names.open, await openFor(inProcess, here('source'), run)),
  ];
}

export type Transport = {
  /** MB/s of one stream, to this end and from it. */
  readonly down: number;
  readonly up: number;
  /** Milliseconds within which 99 of 100 small requests are answered: alone, and beside bulk and a stuck reader. */
  readonly idle: number;
  readonly beside: number;
};

/** The figures that a goal is set for, of one tunnel whose targets are the services. */
export async function measureTransport(tunnel: Tunnel, run: Run): Promise<Transport> {
  const here = (service: Service): Target => ({ host: service, port: 1 });
  const ask = (): Promise<readonly number[]> => askFor(tunnel, here('echo'), run);
  return {
    down: await download(tunnel, here('source'), 1, run),
    up: await upload(tunnel, here('sink'), 1, run),
    idle: percentile(await ask(), 0.99),
    beside: percentile(await besideBulk(tunnel, here, ask), 0.99),
  };
}

type Run = { readonly ms: number; readonly signal: AbortSignal };

/** MB/s that arrive here, of all streams together. */
async function download(tunnel: Tunnel, target: Target, streams: number, run: Run): Promise<number> {
  let bytes = 0;
  const open = await connectAll(tunnel, target, streams);
  for (const stream of open) stream.on('data', (data: Buffer) => (bytes += data.length));
  return rate(open, run, () => bytes);
}

/** MB/s that the tunnel takes from here. */
async function upload(tunnel: Tunnel, target: Target, streams: number, run: Run): Promise<number> {
  let bytes = 0;
  const open = await connectAll(tunnel, target, streams);
  for (const stream of open) {
    const more = (): void => {
      while (!stream.destroyed && stream.write(chunk, () => (bytes += chunk.length)));
    };
    stream.on('drain', more);
    more();
  }
  return rate(open, run, () => bytes);
}

async function connectAll(tunnel: Tunnel, target: Target, streams: number): Promise<readonly Duplex[]> {
  const open = await Promise.all(Array.from({ length: streams }, () => tunnel.connect(target)));
  for (const stream of open) stream.on('error', () => undefined);
  return open;
}

/** The first fifth of the time is not counted: windows and buffers fill. */
async function rate(open: readonly Duplex[], { ms, signal }: Run, bytes: () => number): Promise<number> {
  await sleep(ms / 5, signal);
  const [from, begun] = [bytes(), performance.now()];
  await sleep(ms, signal);
  const value = (bytes() - from) / megabyte / ((performance.now() - begun) / 1000);
  await closeAll(open);
  return value;
}

async function closeAll(open: readonly Duplex[]): Promise<void> {
  const closed = open.map((stream) => stream.closed || once(stream, 'close'));
  for (const stream of open) stream.destroy();
  await Promise.all(closed);
}

/** Milliseconds of each request of 64 bytes that comes back, one after the other on one stream. */
async function askFor(tunnel: Tunnel, target: Target, { ms, signal }: Run): Promise<readonly number[]> {
  const stream = await tunnel.connect(target);
  const question = Buffer.alloc(64);
  const times: number[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    signal.throwIfAborted();
    const begun = performance.now();
    const answered = once(stream, 'data');
    stream.write(question);
    await answered;
    times.push(performance.now() - begun);
  }
  await closeAll([stream]);
  return times;
}

/** While one stream brings all it can and the reader of another is stuck. */
async function besideBulk<T>(tunnel: Tunnel, here: (service: Service) => Target, act: () => Promise<T>): Promise<T> {
  const open = await connectAll(tunnel, here('source'), 2);
  open[0]?.resume();
  try {
    return await act();
  } finally {
    await closeAll(open);
  }
}

/** Milliseconds from asking for a stream to the first byte of its target. */
async function openFor(tunnel: Tunnel, target: Target, { ms, signal }: Run): Promise<readonly number[]> {
  const times: number[] = [];
  const end = performance.now() + ms / 2;
  while (performance.now() < end) {
    signal.throwIfAborted();
    const begun = performance.now();
    const stream = await tunnel.connect(target);
    await once(stream, 'data');
    times.push(performance.now() - begun);
    await closeAll([stream]);
  }
  return times;
}

function percentiles(what: string, times: readonly number[]): readonly Sample[] {
  return [
    { what: `${what}, p50`, unit: 'ms', value: percentile(times, 0.5) },
    { what: `${what}, p99`, unit: 'ms', value: percentile(times, 0.99) },
  ];
}
