/** The real cfssl, built from its pinned source: what RFO's CA is compared with, by tests and by the benchmark. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buildComponents, openReport } from '@rfo/components';
import { Backoff, fail, freePorts, type Life, sleep } from '@rfo/foundation';
import { createCertdb } from './certdb.ts';

export type CfsslPrograms = { readonly cfssl: string; readonly cfssljson: string };

/** What `cfssl serve` runs on; every path but `dir` is that of a file which is there. */
export type CfsslServe = {
  readonly ca: string;
  readonly caKey: string;
  readonly config: string;
  /** The SQLite database. Without one it issues without writing anything down, and neither `revoke` nor `crl` is there. */
  readonly database?: string;
  readonly responder?: { readonly certificate: string; readonly key: string };
  readonly caBundle?: string;
  readonly intBundle?: string;
  readonly tls?: { readonly certificate: string; readonly key: string };
};

export type RealCfssl = {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** All that it has said. */
  readonly log: () => Promise<string>;
};

/** Builds it where that was not done yet, which takes a few minutes; else it takes part of a second. @throws what `buildComponents` throws */
export async function ensureRealCfssl(signal: AbortSignal): Promise<CfsslPrograms> {
  using progress = openReport(process.stdout);
  const folder = (await buildComponents({ names: ['cfssl'], report: progress.report, signal })).get('cfssl') ?? '';
  return { cfssl: join(folder, 'cfssl'), cfssljson: join(folder, 'cfssljson') };
}

/**
 * Starts `cfssl serve` on this machine's loopback and waits until it takes connections. It ends with `life`.
 * @param options `dir`: where its configuration of the database and its log go; a database that is not there is made with cfssl's schema
 */
export async function startRealCfssl(
  options: CfsslServe & { readonly programs: CfsslPrograms; readonly dir: string; readonly life: Life },
): Promise<RealCfssl> {
  const { programs, dir, life, ...serve } = options;
  await mkdir(dir, { recursive: true });
  const databaseConfig = await writeDatabaseConfig(serve.database, dir);
  const [port = 0] = await freePorts(1);
  const file = join(dir, 'cfssl.log');
  const log = openSync(file, 'a');
  const args = renderServeArguments({ ...serve, address: '127.0.0.1', port, ...(databaseConfig !== undefined && { databaseConfig }) });
  const child = spawn(programs.cfssl, args, { cwd: dir, stdio: ['ignore', log, log] });
  closeSync(log);
  await once(child, 'spawn');
  life.defer(() => stop(child));
  const text = (): Promise<string> => readFile(file, 'utf8');
  await untilListening(port, { child, signal: life.signal, log: text });
  return { url: `http://127.0.0.1:${port}`, port, pid: child.pid ?? 0, log: text };
}

export type ServeArguments = CfsslServe & { readonly address: string; readonly port: number; readonly databaseConfig?: string };

/** The command line of `cfssl serve`, without the program. */
export function renderServeArguments(options: ServeArguments): readonly string[] {
  const { address, port, ca, caKey, config, databaseConfig, responder, caBundle, intBundle, tls } = options;
  const flags: Readonly<Record<string, string | undefined>> = {
    'address': address,
    'port': String(port),
    'ca': ca,
    'ca-key': caKey,
    'config': config,
    'db-config': databaseConfig,
    'responder': responder?.certificate,
    'responder-key': responder?.key,
    'ca-bundle': caBundle,
    'int-bundle': intBundle,
    'tls-cert': tls?.certificate,
    'tls-key': tls?.key,
  };
  return ['serve', ...Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`-${name}=${value}`]))];
}

/** Gives the path of what `-db-config` wants. */
async function writeDatabaseConfig(database: string | undefined, dir: string): Promise<string | undefined> {
  if (database === undefined) return undefined;
  createCertdb(database);
  const path = join(dir, 'db-config.json');
  await writeFile(path, JSON.stringify({ driver: 'sqlite3', data_source: database }));
  return path;
}

type Starting = { readonly child: ChildProcess; readonly signal: AbortSignal; readonly log: () => Promise<string> };

/** It says that it listens before it does, so the port is tried. */
async function untilListening(port: number, { child, signal, log }: Starting): Promise<void> {
  const pause = new Backoff({ initial: 5, max: 100, factor: 1.5, jitter: 0 });
  const deadline = Date.now() + 30_000;
  while (!(await takesConnections(port))) {
    const over = child.exitCode !== null || child.signalCode !== null;
    if (over || Date.now() > deadline)
      throw fail('process-failed', {
        name: 'cfssl serve',
        status: over ? 'ended' : 'did not listen',
        output: `: ${await log()}`,
        log: 'above',
      });
    await sleep(pause.next(), signal);
  }
}

function takesConnections(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1');
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
