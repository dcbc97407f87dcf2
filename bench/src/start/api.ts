/** The API server as the benchmark's own programs see it: one kept TLS connection for questions, one for each watch. Node's own HTTPS and nothing else. */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readFileIfExists } from '@rfo/foundation';
import { node } from './node-paths.ts';
import { every20ms, pause } from './probe.ts';

export type Answer = { readonly status: number; readonly body: string };
export type Api = {
  readonly ask: (method: 'GET' | 'POST', path: string, body?: object) => Promise<Answer>;
  /** Calls `see` for each object that exists, appears or changes below a collection's path, for ever; begins again when the watch ends. */
  readonly watch: (path: string, see: (object: unknown) => void) => void;
};

/** Waits for the administrator's certificate, which `rfo` makes during its start. @param tls folder of certificates, as seen from here */
export async function openApi(tls: string): Promise<Api> {
  const paths = ['server-ca.crt', 'client-admin.crt', 'client-admin.key'].map((name) => join(tls, name));
  await every20ms(async () => (await Promise.all(paths.map(readFileIfExists))).every((text) => text !== undefined && text !== ''));
  const [ca = '', cert = '', key = ''] = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca, cert, key });
  const common: RequestOptions = { ...node.apiserver, ca, cert, key };
  return {
    ask: async (method, path, body) => {
      const content = body === undefined ? {} : { 'content-type': 'application/json' };
      const options: RequestOptions = { ...common, method, path, agent, timeout: 2000, headers: content };
      const answer = await send(options, body === undefined ? '' : JSON.stringify(body));
      return { status: answer.statusCode ?? 0, body: (await answer.setEncoding('utf8').toArray()).join('') };
    },
    watch: (path, see) => void watchForever({ ...common, path: withWatch(path), agent: false }, see),
  };
}

/** Asks for /readyz until it answers 200. @param waits is told what the API server says it still waits for, each time that this changes */
export async function untilReadyz(api: Api, waits: (checks: string) => void = () => undefined): Promise<void> {
  let last = '';
  await every20ms(async () => {
    const { status, body } = await api.ask('GET', '/readyz');
    const failed = failedChecks(body);
    if (status !== 200 && failed !== last) waits(failed);
    last = failed;
    return status === 200;
  });
}

/** The names on the lines `[-]name failed: reason withheld`. */
export function failedChecks(body: string): string {
  return [...body.matchAll(/^\[-\](\S+) failed/gm)].map(([, name]) => name).join(' ');
}

async function watchForever(options: RequestOptions, see: (object: unknown) => void): Promise<void> {
  for (;;) {
    try {
      const answer = await send({ ...options, method: 'GET' }, '');
      if (answer.statusCode === 200) for await (const line of createInterface(answer)) seeLine(line, see);
      else answer.resume();
    } catch {
      // Not there yet, or gone: the next attempt tells.
    }
    await pause();
  }
}

/** One line is `{"type":"ADDED|MODIFIED|DELETED|ERROR","object":{…}}`. */
function seeLine(line: string, see: (object: unknown) => void): void {
  const event = JSON.parse(line) as { type: string; object: unknown };
  if (event.type === 'ADDED' || event.type === 'MODIFIED') see(event.object);
}

function withWatch(path: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}watch=1`;
}

function send(options: RequestOptions, body: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const question = request(options, resolve);
    question.once('error', reject);
    question.once('timeout', () => question.destroy(new Error('no answer in time')));
    question.end(body);
  });
}
