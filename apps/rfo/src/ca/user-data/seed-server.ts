/**
 * Serves user data: the NoCloud data source of cloud-init over HTTP, Ignition, and what PXE loads. Hosts that ask have no way to prove who they are, so
 * a secret goes to one address alone and stops when the host has joined (see `judgeSeed`); what is in it is a token good for one node, once.
 */

import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  type Clock,
  type ErrorCode,
  fail,
  type Life,
  type Log,
  RfoError,
  readFileIfExists,
  systemClock,
  systemCode,
  writeFileAtomic,
} from '@rfo/foundation';
import { readBody } from '@rfo/http';
import { discard } from '@rfo/proxy';
import * as z from 'zod/mini';
import { judgeSeed, readSeedHost, type SeedVerdict, writeSeedState } from './seed-host.ts';
import { neighbourMac, seedFolder } from './seed-names.ts';

export type SeedOptions = {
  /** Holds `hosts/<name>/user-data` and the like, and `files/`. */
  readonly dir: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM; without it plain HTTP, which is what firmware and NoCloud speak. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
};

/** What a host says of itself. */
const reportSchema = z.object({
  id: z.string().check(z.maxLength(128)),
  node: z.string().check(z.maxLength(253)),
  status: z.enum(['waiting', 'refused', 'joined']),
  message: z.string().check(z.maxLength(2048)),
});

/** Files of a host by their type; `secret` ones hold the token. */
const documents: Readonly<Record<string, { readonly type: string; readonly secret: boolean }>> = {
  'user-data': { type: 'text/cloud-config', secret: true },
  'config.ign': { type: 'application/vnd.coreos.ignition+json', secret: true },
  'join.sh': { type: 'text/x-shellscript', secret: true },
  'meta-data': { type: 'text/yaml', secret: false },
  'vendor-data': { type: 'text/cloud-config', secret: false },
  'network-config': { type: 'text/yaml', secret: false },
};
/** What cloud-init gets at later boots: with its instance-id unchanged it does nothing, while without user data it would take itself for another machine. */
const joinedUserData = '#cloud-config\n# This host has joined.\n{}\n';
const bounds = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5_000, maxHeaderSize: 8 * 1024 } as const;

/**
 * Listens until the life ends.
 * @throws port-taken
 */
export async function startSeedServer(options: SeedOptions): Promise<{ readonly port: number }> {
  const { host, port, tls, life } = options;
  const answer = createSeed(options);
  const listener = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response);
  const server: Server =
    tls === undefined ? createServer(bounds, listener) : createTlsServer({ ...bounds, ...tls, minVersion: 'TLSv1.2' }, listener);
  server.maxConnections = 512;
  const listening = await new Promise<number>((resolve, reject) => {
    server.once('error', (error) => {
      reject(systemCode(error) === 'EADDRINUSE' ? fail('port-taken', { port, holder: 'another process' }, error) : error);
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
  life.defer(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return { port: listening };
}

type Answer = { readonly status: number; readonly type?: string; readonly body?: string | Buffer };
/** Of those whose body is no report. */
const refusals: Partial<Record<ErrorCode, number>> = { 'request-too-large': 413, 'request-too-slow': 408 };
const notFound: Answer = { status: 404, body: 'not found\n' };

function createSeed({ dir, log, life, clock = systemClock }: SeedOptions) {
  /** One after another: two that ask at once cannot both be the first. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const result = turn.then(act);
    turn = result.catch(() => undefined);
    return result;
  };

  const judge = (id: string, address: string): Promise<SeedVerdict | undefined> =>
    inTurn(async () => {
      const folder = join(dir, 'hosts', id);
      const found = await readSeedHost(folder);
      if (found === undefined) return undefined;
      const mac = neighbourMac((await readFileIfExists('/proc/net/arp')) ?? '', address);
      const verdict = judgeSeed({ id, ...found }, { address, mac, now: clock.now() });
      if (verdict === 'give' && found.state === undefined)
        await writeSeedState(folder, { holder: address, since: new Date(clock.now()).toISOString() });
      return verdict;
    });

  const document = async (id: string, name: string, address: string): Promise<Answer> => {
    const kind = Object.hasOwn(documents, name) ? documents[name] : undefined;
    if (kind === undefined) return notFound;
    const file = await contained(join(dir, 'hosts'), [id, name]);
    if (file === undefined) {
      // Optional for cloud-init, but some releases wait for every answer that is not one.
      const known = (await contained(join(dir, 'hosts'), [id, 'meta-data'])) !== undefined;
      return known && !kind.secret ? { status: 200, type: kind.type, body: '' } : notFound;
    }
    if (!kind.secret) return { status: 200, type: kind.type, body: await readFile(file) };
    const verdict = await judge(id, address);
    if (verdict === 'give') {
      log.info('user data handed out', { host: id, address, file: name });
      return { status: 200, type: kind.type, body: await readFile(file) };
    }
    if (verdict === 'joined' && name === 'user-data') return { status: 200, type: kind.type, body: joinedUserData };
    log.warn('user data refused', { host: id, address, file: name, why: verdict });
    return { status: verdict === 'joined' || verdict === 'too-late' ? 410 : 403, body: `refused: ${verdict}\n` };
  };

  const take = async (body: Buffer, address: string): Promise<Answer> => {
    const parsed = z.safeParse(reportSchema, jsonOf(body));
    const id = parsed.success ? seedFolder(parsed.data.id) : undefined;
    if (!parsed.success || id === undefined) return { status: 400, body: 'not a report\n' };
    const report = parsed.data;
    return await inTurn(async () => {
      const folder = join(dir, 'hosts', id);
      const state = (await readSeedHost(folder))?.state;
      if (state?.holder !== address) {
        log.warn('report refused: it is not from the host that was given the user data', { host: id, address });
        return { status: 403, body: 'refused\n' };
      }
      const at = new Date(clock.now()).toISOString();
      const { node, status, message } = report;
      log[status === 'joined' ? 'info' : 'warn'](`a host reports: ${status}`, { host: id, address, node, message });
      await writeFileAtomic(join(folder, 'report.json'), `${JSON.stringify({ at, node, status, message })}\n`, 0o600);
      if (status === 'joined') await writeSeedState(folder, { ...state, joined: at });
      return { status: 204 };
    });
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    try {
      const [path = ''] = (request.url ?? '').split('?');
      // Nothing is decoded: what is not written plainly is no name here.
      const [, first = '', ...rest] = path.split('/');
      if (request.method === 'POST' && path === '/report') {
        const body = await readBody(request, { limit: 8192, within: 10_000, signal: life.signal });
        return send(request, response, await take(body, address));
      }
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return send(request, response, { status: 405, body: 'method not allowed\n' });
      if (first === 'files') return await sendFile(request, response, await contained(join(dir, 'files'), rest));
      const id = seedFolder(first);
      const [name = ''] = rest;
      send(request, response, id === undefined || rest.length !== 1 ? notFound : await document(id, name, address));
    } catch (error) {
      const status = error instanceof RfoError ? refusals[error.code] : undefined;
      if (status === undefined) log.error('a request of the seed server failed', { address, error });
      if (response.headersSent) response.destroy();
      else send(request, response, { status: status ?? 500, body: 'failed\n' });
      if (!request.complete) discard(request);
    }
  };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type = 'text/plain', body = '' }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function sendFile(request: IncomingMessage, response: ServerResponse, file: string | undefined): Promise<void> {
  if (file === undefined) return send(request, response, notFound);
  const { size } = await stat(file);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
  if (request.method === 'HEAD') return void response.end();
  await pipeline(createReadStream(file), response).catch((error: unknown) => {
    // Who asked has gone.
    if (systemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE' && systemCode(error) !== 'ECONNRESET' && systemCode(error) !== 'EPIPE')
      throw error;
  });
}

/** The real path of a plain file in the folder; undefined for anything else, and for all that a link leads out of it. */
async function contained(folder: string, names: readonly string[]): Promise<string | undefined> {
  if (names.length === 0 || !names.every((name) => /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(name))) return undefined;
  try {
    const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, ...names))]);
    return file.startsWith(root + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // No JSON is no report.
    return undefined;
  }
}
