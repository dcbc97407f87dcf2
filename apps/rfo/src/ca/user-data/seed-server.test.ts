import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type Clock, createLog, Life } from '@rfo/foundation';
import { judgeSeed } from './seed-host.ts';
import { neighbourMac, seedFolder } from './seed-names.ts';
import { startSeedServer } from './seed-server.ts';
import { writeSeed } from './write-seed.ts';

const runFile = promisify(execFile);
const start = Date.UTC(2026, 0, 1);

/** A seed server on loopback, and how to ask it from one of the addresses there. */
async function seeded(life: Life, options: { readonly tls?: { cert: string; key: string } } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'rfo-seed-'));
  life.defer(() => rm(dir, { recursive: true }));
  const lines: string[] = [];
  let now = start;
  const clock: Clock = { now: () => now };
  const log = createLog({ write: (line) => lines.push(line) });
  const { port } = await startSeedServer({ dir, host: '127.0.0.1', port: 0, life, log, clock, ...options });
  /** curl can choose from which loopback address it asks. */
  const ask = async (path: string, from = '127.0.0.1', ...more: readonly string[]) => {
    const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}${path}`;
    const { stdout: output } = await runFile('curl', [
      '-sSk',
      '--path-as-is',
      '--max-time',
      '20',
      '--interface',
      from,
      '-w',
      '\n%{http_code}',
      ...more,
      url,
    ]);
    const at = output.lastIndexOf('\n');
    return { status: Number(output.slice(at + 1)), body: output.slice(0, at) };
  };
  const report = (from: string, body: object) => ask('/report', from, '-H', 'content-type: application/json', '-d', JSON.stringify(body));
  const host = { id: 'worker-1', nodeName: 'worker-1', format: 'cloud-init', userData: '#cloud-config\n# secret\n', access: {} } as const;
  const wait = (ms: number): void => {
    now += ms;
  };
  return { dir, port, lines, ask, report, host, wait };
}

test('user data goes to the first that asks, again and again, and to nobody else', async () => {
  await using life = new Life();
  const { dir, ask, host, lines } = await seeded(life);
  await writeSeed(dir, host);
  assert.deepEqual(await ask('/worker-1/user-data'), { status: 200, body: host.userData });
  assert.deepEqual(await ask('/worker-1/user-data', '127.0.0.2'), { status: 403, body: 'refused: held-by-another\n' });
  assert.equal((await ask('/worker-1/user-data')).status, 200);
  assert.match(lines.join(''), /user data handed out.*worker-1.*127\.0\.0\.1/);
  assert.match(lines.join(''), /user data refused.*127\.0\.0\.2.*held-by-another/);
  assert.doesNotMatch(lines.join(''), /secret/);
});

test('it still knows who holds it after a restart', async () => {
  await using life = new Life();
  const { dir, ask, host } = await seeded(life);
  await writeSeed(dir, host);
  assert.equal((await ask('/worker-1/user-data', '127.0.0.3')).status, 200);
  const { port } = await startSeedServer({ dir, host: '127.0.0.1', port: 0, life, log: createLog({ write: () => undefined }) });
  const status = async (from: string) => {
    const url = `http://127.0.0.1:${port}/worker-1/user-data`;
    return (await runFile('curl', ['-sS', '--interface', from, '-o', '/dev/null', '-w', '%{http_code}', url])).stdout;
  };
  assert.equal(await status('127.0.0.1'), '403');
  assert.equal(await status('127.0.0.3'), '200');
});

test('what is no secret goes to everybody, and what cloud-init may find missing is empty', async () => {
  await using life = new Life();
  const { dir, ask, host } = await seeded(life);
  await writeSeed(dir, host);
  assert.match((await ask('/worker-1/meta-data', '127.0.0.9')).body, /^instance-id: worker-1-[0-9a-f]{12}\nlocal-hostname: worker-1\n$/);
  assert.deepEqual(await ask('/worker-1/vendor-data'), { status: 200, body: '' });
  assert.deepEqual(await ask('/worker-1/network-config'), { status: 200, body: '' });
  assert.equal((await ask('/worker-2/vendor-data')).status, 404);
  assert.equal((await ask('/worker-2/user-data')).status, 404);
});

test('a host that has joined gets harmless user data, and nobody the secret', async () => {
  await using life = new Life();
  const { dir, ask, report, host, lines } = await seeded(life);
  await writeSeed(dir, host);
  await writeSeed(dir, { ...host, id: 'worker-2', format: 'ignition', userData: '{"secret":1}' });
  for (const id of ['worker-1', 'worker-2']) {
    await ask(id === 'worker-1' ? '/worker-1/user-data' : '/worker-2/config.ign');
    assert.equal((await report('127.0.0.1', { id, node: id, status: 'waiting', message: 'the CA is away' })).status, 204);
    assert.equal((await report('127.0.0.1', { id, node: id, status: 'joined', message: 'all well' })).status, 204);
  }
  assert.equal((await ask('/worker-1/user-data')).body, '#cloud-config\n# This host has joined.\n{}\n');
  assert.deepEqual((await ask('/worker-1/user-data', '127.0.0.2')).status, 403);
  assert.deepEqual(await ask('/worker-2/config.ign'), { status: 410, body: 'refused: joined\n' });
  assert.match(lines.join(''), /a host reports: waiting.*the CA is away/);
  assert.match(await readFile(join(dir, 'hosts/worker-1/report.json'), 'utf8'), /"status":"joined","message":"all well"/);
});

test('reports count only from the host that holds the user data', async () => {
  await using life = new Life();
  const { dir, ask, report, host } = await seeded(life);
  await writeSeed(dir, host);
  const joined = { id: 'worker-1', node: 'worker-1', status: 'joined', message: '' };
  assert.equal((await report('127.0.0.1', joined)).status, 403);
  await ask('/worker-1/user-data');
  assert.equal((await report('127.0.0.2', joined)).status, 403);
  assert.equal((await report('127.0.0.1', { ...joined, id: '../worker-1' })).status, 400);
  assert.equal((await report('127.0.0.1', { ...joined, status: 'odd' })).status, 400);
  assert.equal((await ask('/report', '127.0.0.1', '-d', 'x'.repeat(9000))).status, 413);
  assert.equal((await ask('/worker-1/user-data')).body, host.userData);
});

test('it is bound to addresses and to a time where access.json says so', async () => {
  await using life = new Life();
  const { dir, ask, host, wait } = await seeded(life);
  const until = new Date(start + 60_000).toISOString();
  await writeSeed(dir, { ...host, access: { addresses: ['127.0.0.4/31', '10.0.0.0/8'], until } });
  assert.equal((await ask('/worker-1/user-data', '127.0.0.3')).status, 403);
  assert.equal((await ask('/worker-1/user-data', '127.0.0.5')).status, 200);
  wait(60_001);
  assert.deepEqual(await ask('/worker-1/user-data', '127.0.0.5'), { status: 410, body: 'refused: too-late\n' });
});

test('nothing is given out by an access.json that cannot be read', async () => {
  await using life = new Life();
  const { dir, ask, host, lines } = await seeded(life);
  await writeSeed(dir, host);
  await writeFile(join(dir, 'hosts/worker-1/access.json'), '{"adresses":["127.0.0.1"]}');
  assert.equal((await ask('/worker-1/user-data')).status, 500);
  assert.match(lines.join(''), /adresses/);
});

test('a hardware address is found however it is written', async () => {
  await using life = new Life();
  const { dir, ask, host } = await seeded(life);
  await writeSeed(dir, { ...host, id: '52-54-00-ab-cd-ef' });
  for (const name of ['52:54:00:ab:cd:ef', '525400ABCDEF', '01-52-54-00-ab-cd-ef', '52-54-00-AB-CD-EF']) {
    assert.equal((await ask(`/${name}/user-data`)).status, 200, name);
  }
});

test('no path leads out of the folder', async () => {
  await using life = new Life();
  const { dir, ask, port, host } = await seeded(life);
  await writeSeed(dir, host);
  await mkdir(join(dir, 'files/sub'), { recursive: true });
  await writeFile(join(dir, 'files/sub/vmlinuz-6.1_amd64+x'), 'kernel');
  await writeFile(join(dir, 'outside'), 'secret');
  await symlink(join(dir, 'outside'), join(dir, 'files/link'));
  await symlink(dir, join(dir, 'files/up'));
  await symlink(dir, join(dir, 'hosts/evil'));
  await writeFile(join(dir, 'user-data'), 'secret');
  assert.deepEqual(await ask('/files/sub/vmlinuz-6.1_amd64+x'), { status: 200, body: 'kernel' });
  const paths = [
    ...[
      '/files/../outside',
      '/files/%2e%2e/outside',
      '/files/..%2foutside',
      '/files/link',
      '/files/up/outside',
      '/files/',
      '/files/sub',
      '/files//etc/passwd',
    ],
    ...[
      '/../outside',
      '/evil/user-data',
      '/worker-1/state.json',
      '/worker-1/access.json',
      '/worker-1/../worker-1/user-data',
      '/worker-1/',
      '/worker-1',
    ],
    ...[
      '/%77orker-1/user-data',
      '/./worker-1/user-data',
      '//worker-1/user-data',
      '/',
      '/hosts/worker-1',
      '/__proto__/user-data',
      '/worker-1/constructor',
    ],
  ];
  for (const path of paths) assert.deepEqual(await ask(path), { status: 404, body: 'not found\n' }, path);
  // Not even by a path that no URL can have.
  const raw = await new Promise<string>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end('GET files/../../outside HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    let text = '';
    socket
      .on('data', (chunk) => (text += chunk))
      .on('end', () => resolve(text))
      .on('error', reject);
  });
  assert.match(raw, /^HTTP\/1\.1 (404|400)/);
  assert.equal((await ask('/worker-1/user-data', '127.0.0.1', '-X', 'PUT', '-d', 'x')).status, 405);
  assert.equal((await ask('/worker-1/meta-data', '127.0.0.1', '-I')).status, 200);
});

test('it speaks TLS where it is given a certificate', async () => {
  await using life = new Life();
  const dir = await mkdtemp(join(tmpdir(), 'rfo-seed-tls-'));
  life.defer(() => rm(dir, { recursive: true }));
  const req = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'k',
    '-out',
    'c',
    '-days',
    '1',
    '-subj',
    '/CN=seed',
  ];
  execFileSync('openssl', req, { cwd: dir, stdio: 'pipe' });
  const [cert, key] = await Promise.all(['c', 'k'].map((name) => readFile(join(dir, name), 'utf8')));
  const { dir: seeds, ask, host } = await seeded(life, { tls: { cert: cert ?? '', key: key ?? '' } });
  await writeSeed(seeds, host);
  assert.equal((await ask('/worker-1/user-data')).body, host.userData);
});

test('writing a host anew lets it join anew', async () => {
  await using life = new Life();
  const { dir, ask, report, host } = await seeded(life);
  await writeSeed(dir, host);
  await ask('/worker-1/user-data');
  await report('127.0.0.1', { id: 'worker-1', node: 'worker-1', status: 'joined', message: '' });
  const file = await writeSeed(dir, { ...host, userData: '#cloud-config\n# other\n' });
  assert.equal((await ask('/worker-1/user-data', '127.0.0.2')).body, '#cloud-config\n# other\n');
  // Root's alone, also where a mask of the process says something else.
  assert.equal(execFileSync('stat', ['-c', '%a', file], { encoding: 'utf8' }), '600\n');
  await chmod(file, 0o600);
});

test('names of hosts are plain', () => {
  assert.equal(seedFolder('Rack-1.Example'), 'rack-1.example');
  assert.equal(seedFolder('52:54:00:12:34:56'), '52-54-00-12-34-56');
  for (const name of ['', '.', '..', '.hidden', 'a/b', 'a%2f', 'a b', `a${'b'.repeat(128)}`, 'é'])
    assert.equal(seedFolder(name), undefined, name);
});

test('who asks from the wrong network card is refused', () => {
  const table = `IP address       HW type     Flags       HW address            Mask     Device
10.0.0.5         0x1         0x2         52:54:00:12:34:56     *        eth0
10.0.0.6         0x1         0x0         00:00:00:00:00:00     *        eth0
`;
  assert.equal(neighbourMac(table, '10.0.0.5'), '52-54-00-12-34-56');
  assert.equal(neighbourMac(table, '10.0.0.6'), undefined);
  assert.equal(neighbourMac(table, '10.0.0.7'), undefined);
  const host = { id: '52-54-00-12-34-56', access: {}, state: undefined };
  const asked = { address: '10.0.0.5', now: start };
  assert.equal(judgeSeed(host, { ...asked, mac: '52-54-00-12-34-56' }), 'give');
  assert.equal(judgeSeed(host, { ...asked, mac: '52-54-00-00-00-01' }), 'wrong-mac');
  // From beyond a router nobody sees the card.
  assert.equal(judgeSeed(host, { ...asked, mac: undefined }), 'give');
});
