// The program itself, started as it is in production, beside a real API server.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { type Lease, readEntry, type Secret, secretKind, startTestCluster, type TestCluster, waitForObject } from '@rfo/kube';
import { type OwnCertificate, ownCertificate } from './serving/own.ts';
import { managerVersion } from './version.ts';

let cluster: TestCluster;
let folder: string;
let kubeconfig: string;
const running = new Set<ChildProcess>();
before(async () => {
  cluster = await startTestCluster();
  folder = await mkdtemp(join(tmpdir(), 'rfo-manager-'));
  kubeconfig = join(folder, 'kubeconfig');
  const file = (source: typeof cluster.options.ca): string => (source !== undefined && 'file' in source ? source.file : '');
  const { server, ca, cert, key } = cluster.options;
  await writeFile(
    kubeconfig,
    JSON.stringify({
      'current-context': 'it',
      'contexts': [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
      'clusters': [{ name: 'it', cluster: { server, 'certificate-authority': file(ca) } }],
      'users': [{ name: 'it', user: { 'client-certificate': file(cert), 'client-key': file(key) } }],
    }),
  );
});
after(async () => {
  for (const child of running) child.kill('SIGKILL');
  await cluster?.stop();
  await rm(folder, { recursive: true, force: true });
});

type Program = {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  readonly until: (text: RegExp) => Promise<RegExpExecArray>;
};

function start(args: readonly string[]): Program {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  });
  running.add(child);
  let output = '';
  const looks = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      for (const look of looks) look();
    });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    for (const look of looks) look();
    return code as number | null;
  });
  const until = (text: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = text.exec(output);
        if (found === null && running.has(child)) return;
        looks.delete(look);
        if (found === null) reject(new Error(`it ended without ${text}:\n${output}`));
        else resolve(found);
      };
      looks.add(look);
      look();
    });
  return { child, ended, output: () => output, until };
}

const replica = (name: string, ...more: readonly string[]): Program =>
  start(['--kubeconfig', kubeconfig, '--bind-address', '127.0.0.1', '--https-port', '0', '--replica-name', name, ...more]);

const portOf = async (program: Program): Promise<number> => Number((await program.until(/serving port=(\d+)/))[1]);

type Answer = { readonly status: number | undefined; readonly body: string };
const asked = (
  port: number,
  path: string,
  ca: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly servername?: string } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ca, ...more, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve({ status: response.statusCode, body }));
    });
    sent.once('error', reject).end();
  });

const caOf = async (): Promise<string> => {
  const secret = await cluster.client.get<Secret>({ ...secretKind, namespace: 'rfo-system', name: 'rfo-manager-tls' });
  return readEntry(secret, 'ca.crt') ?? '';
};

describe('the manager', () => {
  it('starts on an empty cluster, serves with a certificate of its own, and a second replica with the same', async () => {
    const delay = ['--shutdown-delay', '1s'];
    const [one, two] = [replica('one', '--server-url', 'https://rfo.example.com', ...delay), replica('two', ...delay)];
    const [first, second] = await Promise.all([portOf(one), portOf(two)]);
    const ca = await caOf();
    for (const port of [first, second]) {
      assert.deepEqual(await asked(port, '/readyz', ca), { status: 200, body: 'ok\n' });
      assert.equal((await asked(port, '/healthz', ca)).status, 200);
    }
    await one.until(/The manager serves at https:\/\/rfo\.example\.com/);
    assert.equal((await asked(first, '/healthz', ca, { servername: 'rfo.example.com' })).status, 200);
    await assert.rejects(asked(first, '/healthz', ca, { servername: 'other.example.com' }), /does not match certificate/);

    // The password is for whoever has started it, and not for a log, which is kept and shipped.
    const [, password = ''] = await one.until(/with the password (\S+) /);
    const told = one
      .output()
      .split('\n')
      .filter((line) => line.includes(password));
    assert.equal(told.length, 1);
    assert.doesNotMatch(told[0] ?? '', /^\d{4}-/);

    // Metrics are for those who may see the audit.
    assert.equal((await asked(first, '/metrics', ca)).status, 401);
    assert.equal((await asked(first, '/metrics', ca, { headers: { authorization: `Bearer rfo_abc_${'0'.repeat(64)}` } })).status, 401);

    // One of the two leads; when it ends the other takes over at once, and it tells that it ends while it still serves.
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'rfo-system', name: 'rfo-manager' };
    const led = await Promise.race([
      one.until(/leads lease=rfo-manager/).then(() => one),
      two.until(/leads lease=rfo-manager/).then(() => two),
    ]);
    const next = led === one ? two : one;
    const port = led === one ? first : second;
    led.child.kill('SIGTERM');
    await led.until(/ending signal=SIGTERM/);
    const { status, body } = await asked(port, '/readyz', ca);
    assert.equal(status, 503);
    assert.equal((JSON.parse(body) as { code: string }).code, 'manager-not-ready');
    assert.equal((await asked(port, '/healthz', ca)).status, 200);
    assert.equal(await led.ended, 0, led.output());
    assert.match(led.output(), /leads no more.*\n(.*\n)*.*all that had begun is answered/);
    await next.until(/leads lease=rfo-manager/);
    assert.equal((await cluster.client.get<Lease>(lease)).spec?.holderIdentity, next === one ? 'one' : 'two');

    next.child.kill('SIGTERM');
    assert.equal(await next.ended, 0, next.output());
    assert.doesNotMatch(one.output() + two.output(), / error /);
  });

  it('ends by a signal also while it waits for an API that is not there', async () => {
    const broken = join(folder, 'nowhere');
    await writeFile(broken, (await readFile(kubeconfig, 'utf8')).replace(cluster.options.server, 'https://127.0.0.1:1'));
    const program = start(['--kubeconfig', broken, '--https-port', '0']);
    await program.until(/the Kubernetes API is waited for/);
    program.child.kill('SIGTERM');
    assert.equal(await program.ended, 0, program.output());
  });

  it('says in one sentence what is wrong with what it is told', async () => {
    const [wrong, chatty, homeless] = [start(['--https-port', '70000', '--tls-cert-file', '/nowhere.pem']), start(['begin']), start([])];
    for (const { ended } of [wrong, chatty, homeless]) assert.equal(await ended, 2);
    assert.match(wrong.output(), /https-port/);
    assert.match(wrong.output(), /belong together/);
    assert.match(chatty.output(), /"begin"/);
    assert.match(homeless.output(), /rfo-manager: there is no cluster to keep its objects in.*Give --kubeconfig\./);
  });

  it('tells its flags and its version', async () => {
    const help = start(['--help']);
    assert.equal(await help.ended, 0);
    assert.match(help.output(), /--https-port <number>.*default: 8443.*RFO_MANAGER_HTTPS_PORT/s);
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../package.json'), 'utf8')) as { version: string };
    assert.equal(version, managerVersion);
  });
});

describe('the certificate of its own', () => {
  const day = 86_400_000;
  const namespace = 'certificates';
  let life: Life;
  before(async () => {
    life = new Life();
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  });
  after(() => life.end());
  const open = (input: { readonly names: () => readonly string[]; readonly now?: () => number }): Promise<OwnCertificate> =>
    ownCertificate({ client: cluster.client, namespace, names: input.names, life, log: silentLog, clock: { now: input.now ?? Date.now } });
  const changed = (certificate: OwnCertificate): Promise<void> => new Promise((resolve) => certificate.onChange(resolve));

  it('is the same for all replicas, whoever made it, also when one of them renews it or wants another name', async () => {
    let now = Date.now();
    let names = ['localhost'];
    const [one, two] = await Promise.all([
      open({ names: () => names, now: () => now }),
      open({ names: () => ['localhost'], now: () => now }),
    ]);
    assert.deepEqual(one.current(), two.current());

    const heard = changed(two);
    names = ['localhost', 'rfo.example.com'];
    one.look();
    await heard;
    assert.deepEqual(two.current(), one.current());

    const before = one.current();
    const both = Promise.all([changed(one), changed(two)]);
    now += 61 * day;
    one.look();
    two.look();
    await both;
    assert.notEqual(one.current().cert, before.cert);
    assert.equal(one.ca(), two.ca());
  });

  it('is put back when its Secret is deleted: who trusts the CA is not cut off', async () => {
    const ref = { ...secretKind, namespace, name: 'rfo-manager-tls' };
    const certificate = await open({ names: () => ['localhost'] });
    const { uid } = (await cluster.client.get(ref)).metadata;
    await cluster.client.delete(ref);
    const accept = ({ metadata }: Secret): boolean => metadata.uid !== uid;
    const restored = await waitForObject<Secret>(cluster.client, ref, { accept, signal: AbortSignal.timeout(90_000) });
    assert.equal(readEntry(restored, 'ca.crt'), certificate.ca());
  });
});
