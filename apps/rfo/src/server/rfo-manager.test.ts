import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, test } from 'node:test';
import { freePorts, silentLog, systemClock } from '@rfo/foundation';
import { secretKind, startTestCluster, type TestCluster } from '@rfo/kube';
import { loadManagerSchema, serverConfigOf } from '@rfo/schema';
import { type Alone, runAlone } from '../component/run-alone.ts';
import { nodePaths } from '../paths.ts';
import { announceServer } from './announce.ts';
import type { ServerInputs } from './inputs.ts';
import { controlPlaneKubeconfig } from './kubeconfigs.ts';
import { managerArguments, managerComponents, managerSettings } from './rfo-manager.ts';

function inputsOf(config: Parameters<typeof serverConfigOf>[0], folder = '/d'): ServerInputs {
  return {
    config: serverConfigOf({ manager: true, ...config }),
    paths: nodePaths({ dataDir: join(folder, 'data'), runDir: join(folder, 'run'), etcDir: join(folder, 'etc') }),
    nodeName: 'one',
    nodeIp: '10.0.0.1',
    advertiseAddress: '192.0.2.1',
    kubernetesServiceIp: '10.43.0.1',
    clusterDns: '10.43.0.10',
  };
}

test('a server that is not asked to runs no manager', () => {
  assert.deepEqual(managerComponents(inputsOf({ manager: false })), []);
});

test('it starts after the node, which is ready without it, and ends before the API server', () => {
  assert.deepEqual(
    managerComponents(inputsOf({})).map(({ name, needs, apart }) => [name, needs, apart]),
    [['rfo-manager', ['kube-apiserver', 'node'], true]],
  );
  assert.deepEqual(managerComponents(inputsOf({ 'disable-agent': true }))[0]?.needs, ['kube-apiserver']);
});

test('the settings and the arguments of rfo-manager', () => {
  assert.deepEqual(managerSettings(inputsOf({ 'tls-san': ['api.example.com'] })), {
    'kubeconfig': '/d/data/server/cred/manager.kubeconfig',
    'bind-address': '0.0.0.0',
    'https-port': 8443,
    'server-url': 'https://192.0.2.1:8443',
    'tls-san': ['10.0.0.1', '192.0.2.1', 'api.example.com'],
    'replica-name': 'one',
    'replica-address': '10.0.0.1',
    'replica-port': 8444,
    'hide-password': true,
    'log-format': 'text',
    'debug': false,
  });
  assert.equal(managerSettings(inputsOf({ vip: '192.0.2.100', 'manager-https-port': 443 }))['server-url'], 'https://192.0.2.100:443');
  assert.deepEqual(managerArguments(inputsOf({ 'manager-arg': ['shutdown-delay=5s'] })), [
    '--config=/d/data/server/etc/rfo-manager.yaml',
    '--shutdown-delay=5s',
  ]);
});

test('variables of rfo are none of the program, some of whose own have the same names', async (t) => {
  const [component] = managerComponents(inputsOf({}));
  assert.ok(component);
  const names = ['RFO_MANAGER_HTTPS_PORT', 'RFO_MANAGER_SERVER_URL', 'RFO_MANAGER_KUBECONFIG', 'RFO_TOKEN'];
  t.after(() => {
    for (const name of names) delete process.env[name];
  });
  for (const name of names) process.env[name] = '1';
  const { env } = (await component.render()).process;
  assert.deepEqual(
    Object.keys(env).filter((name) => name.startsWith('RFO_')),
    [],
  );
});

test('all that it is told are options of rfo-manager', async () => {
  const { managerConfig } = await loadManagerSchema();
  const known = managerConfig.infos.map(({ key }) => key);
  assert.deepEqual(
    Object.keys(managerSettings(inputsOf({}))).filter((key) => !known.includes(key)),
    [],
  );
});

describe('the manager of a server', () => {
  let cluster: TestCluster;
  let folder: string;
  let inputs: ServerInputs;
  let running: Alone | undefined;
  const within = (): AbortSignal => AbortSignal.timeout(120_000);

  before(async () => {
    cluster = await startTestCluster();
    folder = await mkdtemp(join(tmpdir(), 'rfo-manager-component-'));
    const [port = 0] = await freePorts(1);
    inputs = {
      ...inputsOf({ 'bind-address': '127.0.0.1', 'manager-https-port': port, 'manager-arg': ['replica-port=0'] }, folder),
      ...{ nodeIp: '127.0.0.1', advertiseAddress: '127.0.0.1' },
    };
    const kubeconfig = controlPlaneKubeconfig(inputs.paths, 'manager');
    await mkdir(dirname(kubeconfig), { recursive: true });
    await writeFile(kubeconfig, accessTo(cluster));
  });
  after(async () => {
    await running?.stop();
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (): Promise<Alone> => {
    const [component] = managerComponents(inputs);
    assert.ok(component);
    running = runAlone(component, { log: silentLog });
    await running.ready(within());
    return running;
  };
  const announced = async (managerReady: (text: string) => Promise<void> = async () => undefined): Promise<string> => {
    let text = '';
    const write = (more: string): void => {
      text += more;
    };
    const { client } = cluster;
    const rest = { clock: systemClock, signal: within(), log: silentLog };
    await announceServer({ inputs, client, managerReady: () => managerReady(text), write, ...rest });
    return text;
  };

  it('serves, and its first password is told once, to the terminal and nowhere else', async () => {
    await start();
    // Several servers that come to it at the same moment.
    const all = await Promise.all([announced(), announced(), announced()]);
    const [first = '', ...others] = all.filter((text) => text.includes('is good once'));
    assert.deepEqual(others, []);
    const address = `https://127.0.0.1:${inputs.config['manager-https-port']}`;
    assert.match(first, new RegExp(`^The manager is ready at ${address}$`, 'm'));
    assert.match(first, new RegExp(`^ {2}npx rfo manager login ${address} -u admin --ca-pin sha256:[0-9a-f]{64}$`, 'm'));
    const [, password = ''] = /The password (\S+) is good once/.exec(first) ?? [];
    assert.match(password, /^\w+(-\w+){3}$/);

    const again = await announced();
    assert.match(again, new RegExp(address));
    assert.ok(!again.includes(password));
    assert.match(again, /is unchanged\. To read it:\n\n.* get secret rfo-administrator /);

    const log = await readFile(join(inputs.paths.logs, 'rfo-manager.log'), 'utf8');
    assert.match(log, /^The manager serves at https:.*\nIts CA has the SHA-256 sha256:\w{64}\n(?=\d{4}-|$)/m);
    const record = await readFile(join(inputs.paths.processRecords, 'rfo-manager.json'), 'utf8');
    const settings = await readFile(inputs.paths.server.managerConfig, 'utf8');
    for (const text of [log, record, settings]) assert.ok(!text.includes(password));
    assert.equal((await stat(inputs.paths.server.managerConfig)).mode & 0o777, 0o600);

    // What becomes of the Secret when the password is changed.
    const secret = { ...secretKind, namespace: 'rfo-system', name: 'rfo-administrator' };
    await cluster.client.patch(secret, { data: { password: null } });
    assert.doesNotMatch(await announced(), /password|login/);
  });

  it('is not waited for: the node is told to be ready before', async () => {
    let before = '';
    await announced(async (text) => {
      before = text;
    });
    assert.match(before, /^Kubernetes is ready on node one\.$[\s\S]*^Ctrl-C ends everything\.$/m);
    assert.doesNotMatch(before, /The manager is ready/);
    const failed = await announced(() => Promise.reject(new Error('it cannot start')));
    assert.equal(failed, before);
  });

  it('is adopted by the next rfo, and replaced where its settings are others', async () => {
    await running?.release();
    const next = await start();
    assert.equal(next.adopted(), true);
    await next.release();
    inputs = { ...inputs, config: { ...inputs.config, debug: true } };
    const changed = await start();
    assert.equal(changed.adopted(), false);
    assert.match(await readFile(join(inputs.paths.logs, 'rfo-manager.log'), 'utf8'), /all that had begun is answered/);
  });
});

function accessTo({ options: { server, ca, cert, key } }: TestCluster): string {
  const file = (source: typeof ca): string => (source !== undefined && 'file' in source ? source.file : '');
  return JSON.stringify({
    'current-context': 'it',
    'contexts': [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
    'clusters': [{ name: 'it', cluster: { server, 'certificate-authority': file(ca) } }],
    'users': [{ name: 'it', user: { 'client-certificate': file(cert), 'client-key': file(key) } }],
  });
}
