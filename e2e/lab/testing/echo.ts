/**
 * Asks and answers over UDP and TCP, for tests of the network between hosts.
 * `echo.ts serve` answers on port 7 of both and says `up`; `echo.ts ask IP COUNT PAUSE` sends datagrams PAUSE milliseconds apart and prints an
 * `EchoReport`; `echo.ts push IP BYTES` sends so many over TCP and prints how many came back.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type EchoReport = { readonly asked: number; readonly answered: number; readonly median: number };

const [order, ip = '', ...numbers] = process.argv.slice(2);
if (order === 'serve') await serve();
if (order === 'ask') await ask(Number(numbers[0]), Number(numbers[1]));
if (order === 'push') await push(Number(numbers[0]));

async function serve(): Promise<void> {
  const datagrams = createSocket('udp4', (message, from) => datagrams.send(message, from.port, from.address));
  datagrams.bind(7);
  await once(datagrams, 'listening');
  const streams = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(7, '0.0.0.0');
  await once(streams, 'listening');
  console.log('up');
}

async function ask(count: number, pause: number): Promise<void> {
  const socket = createSocket('udp4');
  const sent = new Map<string, number>();
  const took: number[] = [];
  const all = Promise.withResolvers<void>();
  socket.on('message', (message) => {
    took.push(performance.now() - (sent.get(message.toString()) ?? Number.NaN));
    if (took.length === count) all.resolve();
  });
  for (let number = 0; number < count; number++) {
    sent.set(String(number), performance.now());
    socket.send(String(number), 7, ip);
    await delay(pause);
  }
  // What has not come by then was lost.
  await Promise.race([all.promise, delay(500)]);
  socket.close();
  took.sort((one, other) => one - other);
  const report: EchoReport = { asked: count, answered: took.length, median: took[took.length >> 1] ?? Number.NaN };
  console.log(JSON.stringify(report));
  process.exit();
}

async function push(bytes: number): Promise<void> {
  const socket = connect(7, ip);
  await once(socket, 'connect');
  socket.end(Buffer.alloc(bytes));
  let back = 0;
  for await (const chunk of socket) back += (chunk as Buffer).length;
  console.log(back);
}
