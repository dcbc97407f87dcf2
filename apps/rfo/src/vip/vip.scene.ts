/**
 * Run by vip.lab.test.ts inside the hosts of a lab, in one of these parts:
 *   cluster                 etcd and an API server; prints its credentials as a line of JSON
 *   api-server HOST         what a host's own API server is to the world: port 6443, answered by the one on HOST
 *   answer PORT             answers with its host's name
 *   server IP IFACE FILE    takes part in the contest for IP with the credentials in FILE; SIGTERM stops it, SIGUSR2 ends it for a successor
 *   remove                  removes what such a server has left
 *   client IP PORT          tries to connect again and again; prints `<milliseconds since 1970> <answer>` whenever the answer changes
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import os from 'node:os';
import { createLog, Life } from '@rfo/foundation';
import { createKubeClient, startTestCluster } from '@rfo/kube';
import { waitForTcp } from '@rfo/process';
import { startComponents } from '../component/manager.ts';
import { removeRecordedAddress } from './address.ts';
import { vipComponent } from './component.ts';

type Credentials = { readonly ca: string; readonly cert: string; readonly key: string };

const apiPort = 6443;
const recordFile = '/run/rfo/vip.json';
/** Milliseconds after which an attempt to connect counts as failed, and between two of them. */
const [attemptWithin, attemptEvery] = [200, 20];
const [part = '', ...args] = process.argv.slice(2);
const say = (line: string): boolean => process.stdout.write(`${line}\n`);

if (part === 'cluster') await cluster();
else if (part === 'api-server') await apiServer(args[0] ?? '');
else if (part === 'answer') await answer(Number(args[0]));
else if (part === 'server') await server(args);
else if (part === 'remove') for (const what of await removeRecordedAddress(recordFile)) say(what);
else await client(args[0] ?? '', Number(args[1]));

async function cluster(): Promise<void> {
  const { options } = await startTestCluster();
  const read = (source: typeof options.ca): string => (source !== undefined && 'file' in source ? readFileSync(source.file, 'utf8') : '');
  await forward('127.0.0.1', Number(new URL(options.server).port));
  say(JSON.stringify({ ca: read(options.ca), cert: read(options.cert), key: read(options.key) } satisfies Credentials));
}

async function apiServer(host: string): Promise<void> {
  await forward(host, apiPort);
  say('up');
}

async function answer(port: number): Promise<void> {
  const entrance = createServer((socket) => socket.on('error', () => undefined).end(os.hostname()));
  await listen(entrance, port);
  say('up');
}

async function server([ip = '', iface = '', file = '']: readonly string[]): Promise<void> {
  const { ca, cert, key } = JSON.parse(readFileSync(file, 'utf8')) as Credentials;
  const life = new Life();
  const client = createKubeClient({ server: `https://127.0.0.1:${apiPort}`, ca: { data: ca }, cert: { data: cert }, key: { data: key } });
  life.defer(() => client.close());
  let released = false;
  const manager = startComponents({
    components: [
      {
        kind: 'task',
        name: 'kube-apiserver',
        needs: [],
        run: ({ life: { signal }, note }) => waitForTcp({ host: '127.0.0.1', port: apiPort }, { signal, note }),
      },
      vipComponent({
        client,
        address: { ip, iface },
        recordFile,
        nodeName: os.hostname(),
        apiReady: () => manager.stateOf('kube-apiserver') === 'ready',
        released: () => released,
      }),
    ],
    life,
    log: createLog({ write: (line) => process.stdout.write(line), level: 'debug' }),
    processRecords: '/run/rfo/processes',
  });
  const end = async (how: 'stopAll' | 'release'): Promise<void> => {
    released = how === 'release';
    await manager[how]();
    await life.end();
    process.exit();
  };
  process.once('SIGTERM', () => void end('stopAll'));
  process.once('SIGUSR2', () => void end('release'));
  await manager.allReady();
  say('ready');
}

async function client(host: string, port: number): Promise<void> {
  for (let last = ''; ; await new Promise((resolve) => setTimeout(resolve, attemptEvery))) {
    const now = await answerOf(host, port);
    if (now !== last) say(`${Date.now()} ${now}`);
    last = now;
  }
}

/** `-` for none. */
function answerOf(host: string, port: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host, port });
  const timer = setTimeout(() => socket.destroy(), attemptWithin);
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('close', () => {
    clearTimeout(timer);
    resolve(text === '' ? '-' : text);
  });
  return promise;
}

async function forward(host: string, port: number): Promise<void> {
  const entrance = createServer((near) => {
    const far = connect({ host, port });
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  await listen(entrance, apiPort);
}

async function listen(entrance: Server, port: number): Promise<void> {
  entrance.listen(port, '0.0.0.0');
  await once(entrance, 'listening');
}
