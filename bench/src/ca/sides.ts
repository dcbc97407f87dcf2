/** Both servers, side by side on this machine: the same CA key, the same signing configuration, each with a database of its own on the same disk. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { ensureRealCfssl, repository, startRealCfssl } from '@rfo/e2e';
import { freePorts, type Life } from '@rfo/foundation';
import { type CertificateInfo, certificateInfo } from '@rfo/pki';

export type Side = {
  readonly port: number;
  /** How many certificates its database holds. */
  readonly count: () => number;
};

export type Sides = {
  readonly rfo: Side & { readonly ocspPort: number; readonly serials: (most: number) => readonly bigint[] };
  readonly cfssl: Side;
  readonly ca: CertificateInfo;
  /** Hex: what requests for certificates are authenticated with. */
  readonly sharedKey: string;
};

export async function startSides(life: Life): Promise<Sides> {
  const programs = await ensureRealCfssl(life.signal);
  await mkdir(join(repository, '.cache/bench'), { recursive: true });
  // Not below /tmp, which may be memory: what is measured includes that a certificate is on the disk before it is given away.
  const dir = await mkdtemp(join(repository, '.cache/bench/ca-'));
  life.defer(() => rm(dir, { recursive: true }));
  const folder = join(dir, 'rfo');
  await must(rfo('init', '--dir', folder, '--host', '127.0.0.1'), life);
  const sharedKey = randomBytes(16).toString('hex');
  const config = join(dir, 'config.json');
  await writeFile(config, JSON.stringify(signingConfig(sharedKey)));

  const cfsslDatabase = join(dir, 'cfssl.db');
  const files = { ca: join(folder, 'ca.pem'), caKey: join(folder, 'ca-key.pem') };
  const cfssl = await startRealCfssl({ programs, dir: join(dir, 'cfssl'), life, ...files, config, database: cfsslDatabase });
  const own = await startRfo({ folder, config }, life);
  const database = join(folder, 'certdb.db');
  return {
    rfo: { ...own, count: () => countOf(database), serials: (most) => serialsOf(database, most) },
    cfssl: { port: cfssl.port, count: () => countOf(cfsslDatabase) },
    ca: certificateInfo(await readFile(files.ca, 'utf8')),
    sharedKey,
  };
}

/** As a user of cfssl has it; `rfo_bind` is what lets RFO give node identities to holders of a shared key, and cfssl passes it over. */
function signingConfig(sharedKey: string): object {
  const urls = { ocsp_url: 'http://127.0.0.1:8889', crl_url: 'http://127.0.0.1:8888/crl' };
  const usages = ['signing', 'key encipherment', 'client auth', 'server auth'];
  const node = { expiry: '720h', usages, auth_key: 'key1', rfo_bind: 'node', ...urls };
  return {
    signing: { default: { expiry: '168h', usages, ...urls }, profiles: { node } },
    auth_keys: { key1: { type: 'standard', key: sharedKey } },
  };
}

type RfoFiles = { readonly folder: string; readonly config: string };

/** Without TLS, as cfssl is by default. */
async function startRfo({ folder, config }: RfoFiles, life: Life): Promise<{ readonly port: number; readonly ocspPort: number }> {
  const [port = 0, ocspPort = 0] = await freePorts(2);
  const flags = ['--dir', folder, '--config', config, `--port=${port}`, `--ocsp-port=${ocspPort}`, '--cfssl-compat=plain-http'];
  const [program = '', ...args] = rfo('serve', ...flags);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  life.defer(() => stop(child));
  await untilReady(child);
  return { port, ocspPort };
}

/** Reads its log to the end, that it never waits for a reader. */
function untilReady(child: ChildProcessByStdio<null, null, Readable>): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr.on('data', (data: Buffer) => {
      log = (log + data.toString()).slice(-10_000);
      if (/ ca: ready/.test(log)) resolve();
    });
    child.once('exit', () => reject(new Error(`rfo ca serve ended: ${log}`)));
  });
}

function rfo(...args: readonly string[]): readonly string[] {
  const node = join(repository, 'node_modules/.bin/node');
  return [node, '--disable-warning=ExperimentalWarning', join(repository, 'apps/rfo/src/main.ts'), 'ca', ...args];
}

async function must([program = '', ...args]: readonly string[], life: Life): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], signal: life.signal });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
}

function countOf(file: string): number {
  using database = new DatabaseSync(file, { readOnly: true });
  return Number(database.prepare('SELECT count(*) AS number FROM certificates').get()?.number);
}

function serialsOf(file: string, most: number): readonly bigint[] {
  using database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare("SELECT CAST(serial_number AS TEXT) AS serial FROM certificates WHERE status = 'good' LIMIT ?").all(most);
  return rows.map(({ serial }) => BigInt(String(serial)));
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await exited;
}
