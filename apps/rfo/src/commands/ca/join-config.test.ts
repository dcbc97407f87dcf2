import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { folderOf, rfo } from '../../cli/rfo.testing.ts';

type CloudConfig = { readonly write_files: readonly { readonly path: string; readonly content: string; readonly permissions: string }[] };

const fileOf = (document: string, path: string): string =>
  (parse(document) as CloudConfig).write_files.find((file) => file.path === path)?.content ?? `no ${path}`;

test('user data of a kubelet holds a new token for that node, and the pin of the CA', { timeout: 120_000 }, async () => {
  await using made = await folderOf({});
  const dir = join(made.folder, 'ca');
  assert.equal((await rfo(['ca', 'init', '--dir', dir, '--host', '127.0.0.1'])).status, 0);
  const where = ['--api-server', 'https://192.0.2.1:6443', '--ca-url', 'https://192.0.2.2:8888'];
  const program = `arm64=http://192.0.2.2/k.tar.gz#sha256:${'a'.repeat(64)}`;
  const printed = await rfo(['ca', 'join-config', '--dir', dir, '--for', 'kubelet', '--node', 'worker-1', ...where, '--program', program]);
  assert.equal(printed.status, 0, printed.stderr);
  assert.match(printed.stderr, /^Whoever has this can join as worker-1, until 20/);
  const info = JSON.parse((await rfo(['ca', 'info', '--dir', dir, '-o', 'json'])).stdout) as { authority: { pin: string } };
  assert.match(
    fileOf(printed.stdout, '/etc/rfo-join/settings'),
    new RegExp(`^CA_PIN='${info.authority.pin.replace('sha256:', '')}'$`, 'm'),
  );
  assert.match(fileOf(printed.stdout, '/etc/rfo-join/settings'), /^PROGRAM_arm64='http:\/\/192\.0\.2\.2\/k\.tar\.gz'$/m);
  const token = fileOf(printed.stdout, '/etc/rfo-join/token').trim();
  assert.match(token, /^[0-9a-f]{64}$/);
  const list = JSON.parse((await rfo(['ca', 'token', 'list', '--dir', dir, '-o', 'json'])).stdout) as readonly object[];
  assert.equal(list.length, 1);
  assert.deepEqual(
    { ...list[0], id: '', created: '', expires: '' },
    {
      ...{
        id: '',
        node: 'worker-1',
        profiles: ['kubelet-client', 'kubelet-serving'],
        addresses: [],
        maxNodes: 1,
        description: 'user data',
      },
      ...{ created: '', expires: '', expired: false, nodes: [], uses: [] },
    },
  );
  assert.ok(!(await readFile(join(dir, 'audit.log'), 'utf8')).includes(token));
});

test('user data of an agent goes into the folder of the seed server, with who may have it', { timeout: 120_000 }, async () => {
  await using made = await folderOf({ token: `K10${'a'.repeat(64)}::abcdef.0123456789abcdef\n` });
  const seed = join(made.folder, 'seed');
  const argv = [
    'ca',
    'join-config',
    '--server',
    'server-1',
    '--pattern',
    'rack-*',
    '--max-nodes',
    '5',
    '--token-file',
    join(made.folder, 'token'),
  ];
  const place = ['--seed', seed, '--seed-id', '52:54:00:AA:00:01', '--seed-url', 'http://192.0.2.2:8890', '--address', '192.0.2.0/24'];
  const done = await rfo([...argv, ...place]);
  assert.equal(done.status, 0, done.stderr);
  const folder = join(seed, 'hosts/52-54-00-aa-00-01');
  assert.equal(done.stdout, `${folder}/user-data\n`);
  const document = await readFile(join(folder, 'user-data'), 'utf8');
  assert.equal((await stat(join(folder, 'user-data'))).mode & 0o777, 0o600);
  assert.equal(fileOf(document, '/etc/rancher/rfo/config.yaml'), 'server: https://server-1:9345\ntoken-file: /etc/rfo-join/token\n');
  assert.equal(fileOf(document, '/etc/rfo-join/token'), `K10${'a'.repeat(64)}::abcdef.0123456789abcdef\n`);
  assert.match(
    fileOf(document, '/etc/rfo-join/settings'),
    /^REPORT_URL='http:\/\/192\.0\.2\.2:8890\/report'\nSEED_ID='52-54-00-aa-00-01'$/m,
  );
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'access.json'), 'utf8')), { addresses: ['192.0.2.0/24'] });
});

test('what is missing or contradicts itself is said at once', { timeout: 120_000 }, async () => {
  await using made = await folderOf({});
  const token = join(made.folder, 'token');
  await writeFile(token, 'nonsense');
  const cases = [
    [['--server', 'a'], /exactly one of --node and --pattern/],
    [['--server', 'a', '--node', 'b', '--pattern', 'c-*'], /exactly one of --node and --pattern/],
    [['--node', 'b'], /an agent needs --server/],
    [['--for', 'kubelet', '--node', 'b'], /a kubelet needs --api-server and --ca-url/],
    [['--server', 'a', '--node', 'b', '--max-nodes', '2'], /b is one node/],
    [['--server', 'a', '--pattern', 'b-*', '--seed', '/nowhere'], /needs a name/],
    [['--server', 'a', '--node', 'b', '--program', 'vax=http://a/b#sha256:00'], /is not an architecture/],
    [['--server', 'a', '--node', 'b', '--seed-id', '../x', '--token-file', token], /"..\/x" is no name of a host/],
    [['--server', 'a', '--node', 'b', '--token-file', '/nowhere'], /cannot read \/nowhere: ENOENT/],
  ] as const;
  const outcomes = await Promise.all(cases.map(([argv]) => rfo(['ca', 'join-config', ...argv])));
  for (const [index, [argv, says]] of cases.entries()) {
    assert.match(outcomes[index]?.stderr ?? '', says, argv.join(' '));
    assert.deepEqual([outcomes[index]?.status, outcomes[index]?.stdout], [2, ''], argv.join(' '));
  }
});
