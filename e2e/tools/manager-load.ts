/**
 * Works through a manager as people and programs do, until SIGTERM: requests over connections that are kept, and a watch that goes on where it was
 * when it ends. What fails is sent once more after a pause, and told in load.log beside the file that is its argument, with JSON (`LoadSettings`).
 * Says `it works` when the first write was seen, and in the end one line of JSON (`LoadReport`).
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

export type LoadSettings = {
  readonly address: string;
  /** PEM of the manager's CA. */
  readonly ca: string;
  readonly token: string;
  /** Cluster and namespace in which a ConfigMap `load` is written again and again. */
  readonly cluster: string;
  readonly namespace: string;
};
export type LoadReport = {
  readonly sent: number;
  /** Those that were not good at first. */
  readonly again: number;
  /** Bad both times. */
  readonly failed: readonly string[];
  /** Milliseconds from the first attempt to the answer. */
  readonly slowest: number;
  /** How often the watch was opened, and what was written and never seen. */
  readonly watch: { readonly opened: number; readonly seen: number; readonly missed: readonly number[] };
};

/** Milliseconds: between the requests of one worker, for an answer, and before what failed is sent again. */
const [every, answerWithin, pause] = [100, 30_000, 3000];
const workers = 5;

const [, , file = ''] = process.argv;
const settings = JSON.parse(readFileSync(file, 'utf8')) as LoadSettings;
const logFile = join(dirname(file), 'load.log');
writeFileSync(logFile, '');
const { address, ca, token, cluster, namespace } = settings;
const kept = new Agent({ keepAlive: true, ca });
const door = `/k8s/clusters/${cluster}/api/v1/namespaces/${namespace}/configmaps`;
const reads = [
  `${door}/load`,
  `/k8s/clusters/${cluster}/api/v1/nodes`,
  '/k8s/clusters/local/api/v1/namespaces',
  '/api/v1/clusters',
  '/api/v1/self',
];

const failed: string[] = [];
let again = 0;
const written = new Set<number>();
const seen = new Set<number>();
let sent = 0;
let slowest = 0;
let opened = 0;
let told = (): void => undefined;
const ending = new AbortController();
process.once('SIGTERM', () => ending.abort());

const watching = watch();
await Promise.all([...Array.from({ length: workers }, (_, index) => work(index)), write()]);
await untilAllSeen();
const missed = [...written].filter((count) => !seen.has(count));
const report: LoadReport = { sent, again, failed, slowest: Math.round(slowest), watch: { opened, seen: seen.size, missed } };
console.log(JSON.stringify(report));
void watching;
process.exit(0);

async function work(index: number): Promise<void> {
  for (let count = index; !ending.signal.aborted; count++) {
    await insist('GET', reads[count % reads.length] ?? '');
    await sleep(every, undefined, { signal: ending.signal }).catch(() => undefined);
  }
}

async function write(): Promise<void> {
  for (let count = 1; !ending.signal.aborted; count++) {
    const patch = { data: { count: String(count) } };
    if (await insist('PATCH', `${door}/load`, patch)) written.add(count);
    await sleep(every, undefined, { signal: ending.signal }).catch(() => undefined);
  }
}

/** Sends it, and once more where that fails. Gives whether it was good in the end. */
async function insist(method: string, path: string, body?: object): Promise<boolean> {
  const begin = performance.now();
  sent++;
  const first = await attempt(kept, { method, path, body });
  let second: string | undefined;
  if (first !== undefined) {
    await sleep(pause);
    second = await attempt(new Agent({ ca }), { method, path, body });
    again++;
    const line = `${method} ${path}: ${first}`;
    if (second !== undefined) failed.push(`${line}, then ${second}`);
    note(`${line}, then ${second ?? 'good'}`);
  }
  slowest = Math.max(slowest, performance.now() - begin);
  return second === undefined;
}

type Asked = { readonly method: string; readonly path: string; readonly body?: object | undefined };

/** What went wrong, or undefined. */
async function attempt(agent: Agent, asked: Asked): Promise<string | undefined> {
  try {
    const response = await open(agent, asked, AbortSignal.timeout(answerWithin));
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const { statusCode: status = 0 } = response;
    return status >= 200 && status < 300 ? undefined : `${status} ${text.slice(0, 200)}`;
  } catch (error) {
    return error instanceof Error ? `${error.name} ${error.message}` : String(error);
  }
}

function open(agent: Agent, { method, path, body }: Asked, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/merge-patch+json' };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${address}${path}`, { agent, method, headers, signal }, resolve);
    outgoing.once('error', reject).end(body && JSON.stringify(body));
  });
}

/** As informers do: from the version that was seen last. */
async function watch(): Promise<void> {
  let version: string | undefined;
  while (!ending.signal.aborted || seen.size < written.size) {
    try {
      const from = version === undefined ? '' : `&resourceVersion=${version}`;
      const path = `${door}?watch=true&fieldSelector=metadata.name%3Dload${from}`;
      opened++;
      const response = await open(new Agent({ ca }), { method: 'GET', path }, new AbortController().signal);
      if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
      for await (const line of createInterface({ input: response })) {
        const { type, object } = JSON.parse(line) as {
          readonly type: string;
          readonly object: { readonly metadata: { readonly resourceVersion: string }; readonly data?: { readonly count?: string } };
        };
        if (type === 'ERROR') throw new Error(line.slice(0, 200));
        version = object.metadata.resourceVersion;
        if (opened === 1 && seen.size === 0) console.log('it works');
        seen.add(Number(object.data?.count ?? 0));
        told();
      }
      if (!ending.signal.aborted) note('the watch ended');
    } catch (error) {
      note(`the watch: ${error instanceof Error ? error.message : error}`);
    }
    await sleep(500);
  }
}

function note(line: string): void {
  appendFileSync(logFile, `${new Date().toISOString()} ${line}\n`);
}

/** The last writes may still be on their way. */
async function untilAllSeen(): Promise<void> {
  const late = AbortSignal.timeout(30_000);
  const isDone = (): boolean => late.aborted || [...written].every((count) => seen.has(count));
  await new Promise<void>((resolve) => {
    told = () => isDone() && resolve();
    late.addEventListener('abort', () => resolve(), { once: true });
    told();
  });
}
