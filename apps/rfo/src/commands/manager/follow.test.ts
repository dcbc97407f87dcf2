// What goes on until it is interrupted: `--watch` and `audit --follow`, run as programs against a real manager.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type Outcome, rfo } from '../../cli/rfo.testing.ts';
import { startTestManager, type TestManager } from './manager.testing.ts';

const main = join(import.meta.dirname, '../../main.ts');
const within = 90_000;

let manager: TestManager;
let folder: string;
let adminToken: string;
/** One that a test has left behind would keep all of them waiting. */
const children: ChildProcess[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rfo-follow-'));
  manager = await startTestManager();
  const file = await fileOf('admin', `${manager.password}\ncorrect horse battery\n`);
  await done('admin', `login ${manager.address} -u admin --password-file ${file} --ca-pin ${pin()}`);
  adminToken = JSON.parse(await readFile(join(folder, 'admin/.config/rfo/manager.json'), 'utf8')).token;
});
after(async () => {
  for (const child of children) child.kill('SIGKILL');
  await manager?.stop();
  await rm(folder, { recursive: true });
});

const homeOf = (person: string): Readonly<Record<string, string>> => ({ HOME: join(folder, person) });
const as = (person: string, command: string): Promise<Outcome> => rfo(['manager', ...command.split(' ')], homeOf(person));
const pin = (): string => `sha256:${new X509Certificate(manager.ca).fingerprint256.replaceAll(':', '').toLowerCase()}`;

async function done(person: string, command: string): Promise<string> {
  const { status, stdout, stderr } = await as(person, command);
  assert.equal(status, 0, `${command}: ${stderr}`);
  return stdout;
}

async function fileOf(name: string, content: string): Promise<string> {
  const path = join(folder, `${name}.txt`);
  await writeFile(path, content, { mode: 0o600 });
  return path;
}

/** A request to the manager, which answers faster than another program starts. */
async function call(method: string, path: string, body?: object): Promise<Json> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const headers = { authorization: `Bearer ${adminToken}`, ...(body !== undefined && { 'content-type': type }) };
  const sent = request(new URL(path, manager.address), { ca: manager.ca, method, headers });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = await once(sent, 'response');
  const told = await text(answer);
  assert.ok(answer.statusCode < 300, told);
  return told === '' ? undefined : JSON.parse(told);
}
// biome-ignore lint/suspicious/noExplicitAny: what is not there fails the test
type Json = any;

const inCluster = (method: string, path: string, body?: object): Promise<Json> => call(method, `/k8s/clusters/local${path}`, body);
const configMaps = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
const make = (name: string, namespace = 'default'): Promise<Json> =>
  inCluster('POST', configMaps(namespace), { metadata: { name, labels: { tier: 'test' } } });

type Running = {
  /** The first line, of those that came and those to come, that fits. */
  readonly line: (of: 'stdout' | 'stderr', form: RegExp) => Promise<string>;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => Promise<unknown>;
  /** As `head` does when it has what it wanted. */
  readonly stopReading: () => void;
  /** Exit code and signal. */
  readonly ended: Promise<readonly unknown[]>;
};

function run(person: string, command: string): Running {
  const child = spawn(process.execPath, [main, 'manager', ...command.split(' ')], {
    env: { PATH: process.env.PATH, NODE_DISABLE_COMPILE_CACHE: '1', ...homeOf(person) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  const looks = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
      for (const look of looks) look();
    });
  const ended = once(child, 'close');
  return {
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    stopReading: () => child.stdout.destroy(),
    interrupt: () => {
      child.kill('SIGINT');
      return ended;
    },
    line: (of, form) =>
      new Promise((resolve, reject) => {
        const settle = (then: () => void): void => {
          looks.delete(look);
          clearTimeout(timer);
          then();
        };
        const missing = (): void => settle(() => reject(new Error(`no line ${form} in ${JSON.stringify(output)}`)));
        const timer = setTimeout(missing, within);
        const look = (): void => {
          const found = output[of].split('\n').find((line) => form.test(line));
          if (found !== undefined) settle(() => resolve(found));
        };
        looks.add(look);
        look();
        void ended.then(missing);
      }),
  };
}

/** The manager by another address, which can be cut off and mended. */
async function startRelay() {
  const { port } = new URL(manager.address);
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const behind = connect(Number(port), 'localhost');
    for (const end of [socket, behind]) open.add(end.on('error', () => undefined));
    socket.pipe(behind).pipe(socket);
  });
  const listen = async (at: number): Promise<number> => {
    server.listen(at, 'localhost');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const at = await listen(0);
  const cut = async (): Promise<void> => {
    const over = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    open.clear();
    await over;
  };
  return { address: `https://localhost:${at}`, cut, mend: () => listen(at), [Symbol.asyncDispose]: cut };
}

test('a list of a cluster is followed: first the table, then a line in its columns for each change', async () => {
  await make('first');
  const seen = run('admin', 'get local cm -n default -l tier=test -w --output-watch-events');
  const began = await seen.line('stdout', /^EVENT +NAMESPACE +NAME +STATUS +CREATED$/);
  await seen.line('stdout', /^ADDED +default +first +\S+Z$/);
  await make('second-of-a-longer-name');
  const added = await seen.line('stdout', /^ADDED +default +second-of-a-longer-name +\S+Z$/);
  await inCluster('PATCH', `${configMaps('default')}/first`, { data: { size: '1' } });
  await seen.line('stdout', /^MODIFIED +default +first {19,}\S+Z$/);
  await inCluster('DELETE', `${configMaps('default')}/first`);
  await seen.line('stdout', /^DELETED +default +first /);
  assert.equal(added.indexOf('default'), began.indexOf('NAMESPACE'));
  assert.equal(seen.stdout().match(/^EVENT/gm)?.length, 1);
  assert.deepEqual(await seen.interrupt(), [null, 'SIGINT']);
});

test('the objects come one a line as JSON, and as documents of YAML', async () => {
  const [json, yaml] = [run('admin', 'get local cm -l tier=test -w -o json'), run('admin', 'get local cm -l tier=test -w -o yaml')];
  await Promise.all([json.line('stdout', /second/), yaml.line('stdout', /^ {2}name: second-of-a-longer-name$/)]);
  await make('third');
  await Promise.all([json.line('stdout', /third/), yaml.line('stdout', /^ {2}name: third$/)]);
  const objects = json
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    objects.map(({ kind, metadata: { name } }) => [kind, name]),
    [
      ['ConfigMap', 'second-of-a-longer-name'],
      ['ConfigMap', 'third'],
    ],
  );
  assert.equal(yaml.stdout().match(/^---$/gm)?.length, 2);
  await Promise.all([json.interrupt(), yaml.interrupt()]);
});

const createProject = (name: string): Promise<Json> => call('POST', '/api/v1/projects', { name, spec: {} });

test('it ends without a word when nobody reads it any more', async () => {
  const list = run('admin', 'get local cm -n kube-system -w -o json --search reader');
  await make('first-reader', 'kube-system');
  await list.line('stdout', /first-reader/);
  list.stopReading();
  await make('second-reader', 'kube-system');
  assert.deepEqual(await list.ended, [141, null]);
  assert.equal(list.stderr(), '');
});

test('when the link is cut it comes back, and tells what is different and nothing twice', async () => {
  await using relay = await startRelay();
  const again = await fileOf('again', 'correct horse battery\n');
  await done('far', `login ${relay.address} -u admin --password-file ${again} --ca-pin ${pin()}`);
  const list = run('far', 'get local cm -n default -l tier=test -w --output-watch-events');
  const audit = run('far', 'audit --follow --verb create --text followed- -o json');
  await list.line('stdout', /^ADDED +default +third /);
  await createProject('followed-before');
  await audit.line('stdout', /followed-before/);
  await relay.cut();
  await Promise.all([list, audit].map((each) => each.line('stderr', /cannot be reached: .* It goes on by itself/)));
  await Promise.all([make('fourth'), inCluster('DELETE', `${configMaps('default')}/third`), createProject('followed-meanwhile')]);
  await relay.mend();
  await Promise.all([list, audit].map((each) => each.line('stderr', /^rfo: It goes on\.$/)));
  await Promise.all([
    list.line('stdout', /^ADDED +default +fourth /),
    list.line('stdout', /^DELETED +default +third /),
    audit.line('stdout', /followed-meanwhile/),
  ]);
  assert.equal(list.stdout().match(/ADDED/g)?.length, 3, list.stdout());
  const names = audit
    .stdout()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).name);
  assert.deepEqual(names, ['followed-before', 'followed-meanwhile']);
  await Promise.all([list.interrupt(), audit.interrupt()]);
});

test('clusters are followed as they come', async () => {
  const clusters = run('admin', 'clusters list -w');
  await clusters.line('stdout', /^local +Active/);
  await call('POST', '/api/v1/clusters', { name: 'rome' });
  await clusters.line('stdout', /^rome +Pending/);
  await clusters.interrupt();
});

test('it ends with a reason when the right is taken away, and when the session ends', async () => {
  const [first, second] = ['a password of somebody', 'another one of his own'];
  const { user } = await call('POST', '/api/v1/users', { username: 'wanda', password: first });
  const subjects = [{ kind: 'User', name: user.name }];
  const binding = await call('POST', '/api/v1/globalRoleBindings', { spec: { role: 'auditor', subjects } });
  const both = await fileOf('wanda', `${first}\n${second}\n`);
  await done('wanda', `login ${manager.address} -u wanda --password-file ${both} --ca-pin ${pin()}`);
  const pods = run('wanda', 'get local ns -w');
  await pods.line('stdout', /^default +Active/);
  await call('DELETE', `/api/v1/globalRoleBindings/${binding.name}`);
  assert.match(await pods.line('stderr', /^rfo: /), /^rfo: the manager says: .*wanda/);
  assert.deepEqual(await pods.ended, [1, null]);
  const clusters = run('wanda', 'clusters list --watch');
  await clusters.line('stdout', /^NAME/);
  await call('POST', `/api/v1/users/${user.name}/disable`);
  await clusters.line('stderr', /^rfo: the manager at .* no longer accepts this session .* Sign in again: rfo manager login https:/);
  assert.deepEqual(await clusters.ended, [2, null]);
});

test('one object is shown by its name, in the ways in which kubectl takes it', async () => {
  await Promise.all([make('same'), make('same', 'kube-system')]);
  const [table, slash, json, all, missing, both, none] = await Promise.all([
    as('admin', 'get local ns default'),
    as('admin', 'get local ns/default -o yaml'),
    as('admin', 'get local cm same -n kube-system -o json'),
    as('admin', 'get local cm same -A'),
    as('admin', 'get local cm nothing -w'),
    as('admin', 'get local cm same -o json'),
    as('admin', 'get local cm -l tier=none'),
  ]);
  assert.match(table.stdout, /^NAME +STATUS +CREATED\ndefault +Active +\S+\n$/);
  assert.match(slash.stdout, /^kind: Namespace$/m);
  assert.equal(JSON.parse(json.stdout).metadata.namespace, 'kube-system');
  assert.match(all.stdout, /^default +same [\s\S]*^kube-system +same /m);
  const refusals: readonly (readonly [Outcome, number, RegExp])[] = [
    [
      missing,
      1,
      /^rfo: cluster local has no configmaps "nothing" that you may see\. Look at what there is: rfo manager get local configmaps\.\n$/,
    ],
    [both, 2, /configmaps "same" in more than one namespace: default, kube-system\. Name one of them: --namespace NAME/],
  ];
  for (const [{ status, stdout, stderr }, code, form] of refusals) {
    assert.deepEqual([status, stdout], [code, ''], stderr);
    assert.match(stderr, form);
  }
  assert.match(none.stdout, /^NAMESPACE +NAME +STATUS +CREATED\n$/);
  assert.equal(none.stderr, 'rfo: Nothing was found.\n');
});
