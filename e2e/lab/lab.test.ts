import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Life } from '@rfo/foundation';
import { assertClean, createLab, type Host, type Lab, type LabTrace, remains, repository } from './index.ts';

const skip = process.getuid?.() === 0 ? false : 'network namespaces need root';

describe('a lab of two hosts', { skip, timeout: 60_000 }, () => {
  const life = new Life();
  let lab: Lab;
  let a: Host;
  let b: Host;
  before(async () => {
    lab = await createLab({ name: 'test', life });
    a = await lab.addHost({ name: 'a' });
    b = await lab.addHost({ name: 'b' });
  });
  after(() => life.end());

  test('gives each host a name, an address and a resolver of its own', async () => {
    assert.equal(await a.must(['hostname']), 'a\n');
    assert.equal(await b.readFile('/etc/hosts'), '127.0.0.1 localhost\n10.98.0.12 b\n');
    assert.equal(await a.readFile('/etc/resolv.conf'), 'nameserver 10.98.0.1\n');
    assert.notEqual(await a.readFile('/etc/machine-id'), await b.readFile('/etc/machine-id'));
  });

  test('lets a host see its own processes, mounts and cgroups only', async () => {
    const processes = (await a.must(['ps', '-eo', 'pid=,comm=']))
      .trim()
      .split('\n')
      .map((line) => line.trim().replace(/ +/, ' '));
    assert.equal(processes[0], '1 sleep');
    assert.ok(processes.length <= 2, processes.join('; '));
    for (const line of (await a.must(['cat', '/proc/self/cgroup'])).trim().split('\n')) assert.match(line, /:\/(init)?$/);
    for (const line of (await a.must(['cat', '/proc/self/mountinfo'])).trim().split('\n')) assert.doesNotMatch(line, /\/\.\./);
  });

  test('joins the hosts by a network that ends at the switch', async () => {
    await b.writeFile('/srv/index.html', 'from b');
    const server = `require('http').createServer((q, s) => s.end('hello ' + q.socket.remoteAddress)).listen(80, () => console.log('up'))`;
    const node = join(repository, 'node_modules/.bin/node');
    const service = await b.spawn('server', [node, '-e', server]);
    for await (const line of service.lines(life.signal)) if (line === 'up') break;
    assert.equal(await a.must(['curl', '-sS', `http://${b.ip}/`]), 'hello ::ffff:10.98.0.11');
    await b.linkDown();
    assert.notEqual((await a.exec(['curl', '-sS', '-m1', `http://${b.ip}/`])).code, 0);
    await b.linkUp();
    assert.equal(await a.must(['curl', '-sS', '-m5', `http://${b.ip}/`]), 'hello ::ffff:10.98.0.11');
    service.signal('SIGTERM');
    assert.equal(await service.exited, 143);
    const refused = await a.exec(['curl', '-sS', '-m5', `http://${lab.gateway}:81/`]);
    assert.equal(refused.code, 7, refused.stderr);
  });

  test('keeps what a host writes away from this machine, and shows it this checkout', async () => {
    await a.writeFile('/etc/rfo-lab-test/x', 'x', '0600');
    assert.equal(await a.must(['stat', '-c', '%a', '/etc/rfo-lab-test/x']), '600\n');
    assert.equal(existsSync('/etc/rfo-lab-test'), false);
    assert.equal((await b.exec(['ls', '/etc/rfo-lab-test'])).code, 2);
    await a.must(['test', '-f', join(repository, 'package.json')]);
  });

  test('lets nobody set the clock, which is that of this machine', async () => {
    // Not tried out: a test that fails must not do it.
    const script = 'grep -h ^Cap /proc/1/status /proc/self/status';
    const capabilities = (await a.must(['sh', '-c', script])).matchAll(/^Cap(Prm|Eff|Bnd):\t([0-9a-f]+)$/gm);
    const masks = [...capabilities].map(([, , mask = '']) => BigInt(`0x${mask}`));
    assert.equal(masks.length, 6);
    for (const mask of masks) assert.equal((mask >> 25n) & 1n, 0n, 'CAP_SYS_TIME');
    assert.equal(((masks[0] ?? 0n) >> 21n) & 1n, 1n, 'CAP_SYS_ADMIN');
  });

  test('reports exit codes, both outputs and input, and ends what takes too long with all it started', async () => {
    const result = await a.exec(['sh', '-c', 'cat; echo wrong >&2; exit 3'], { input: 'in' });
    assert.deepEqual(result, { code: 3, stdout: 'in', stderr: 'wrong\n' });
    await assert.rejects(
      a.exec(['sh', '-c', 'echo begun; sleep 999 & sleep 999'], { timeout: 300 }),
      /did not happen within 0.3 s.*begun/s,
    );
    const left = await a.must(['sh', '-c', 'ps -eo args= | grep -c "^sleep 999" || true']);
    assert.equal(left, '0\n');
  });

  test('has none of the settings and passwords of a node on this machine', async () => {
    const own = (await a.must(['findmnt', '-no', 'SOURCE', '/etc/rancher'])).trim();
    assert.ok(own.endsWith('/hosts/a/disk/etc-rancher]'), own);
    assert.equal(await a.must(['ls', '-A', '/etc/rancher']), '');
  });

  test('reaps orphans', async () => {
    await a.must(['sh', '-c', '(sh -c "exit 0" & exec sh -c "exit 0") & wait']);
    // A process that is just being reaped still shows as a zombie: one that nobody reaps shows in every look. What was entered from
    // outside is not the host's own: this machine's process 1 reaps that.
    const orphans = 'ps -eo ppid=,stat= | grep -q "^ *1 *Z"';
    await a.must(['sh', '-c', `looks=0; while ${orphans}; do looks=$((looks + 1)); [ $looks -lt 200 ] || exit 1; done`]);
  });

  test('loses processes and memory in a power cut but not its disks, and boots again at once', async () => {
    await a.writeFile('/var/lib/rancher/kept', 'kept');
    await a.writeFile('/run/lost', 'lost');
    const service = await a.spawn('sleeper', ['setsid', 'sleep', '1000']);
    await a.powerCut();
    assert.equal(await service.exited, 137);
    assert.throws(() => a.init(), /switched off/);
    await a.boot();
    assert.equal(await a.readFile('/var/lib/rancher/kept'), 'kept');
    assert.equal((await a.exec(['cat', '/run/lost'])).code, 1);
    assert.equal((await a.exec(['curl', '-sS', '-m5', `http://${b.ip}:81/`])).code, 7);
  });
});

test('a lab of one host is made and removed in under a second, and leaves nothing', { skip, timeout: 30_000 }, async () => {
  const life = new Life();
  const begin = performance.now();
  const lab = await createLab({ name: 'quick', life });
  const host = await lab.addHost({ name: 'a' });
  await host.must(['sh', '-c', 'mount -t tmpfs x /mnt; ip link add d type veth peer name e; setsid sleep 999 >/dev/null 2>&1 &']);
  assert.notDeepEqual(await remains(lab.trace), []);
  await life.end();
  const took = performance.now() - begin;
  await assertClean(lab.trace);
  assert.ok(took < 1000, `took ${took.toFixed()} ms`);
});

test('a lab whose test is killed is gone within a second', { skip, timeout: 30_000 }, async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'testing/orphan.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const trace = JSON.parse(String(line)) as LabTrace;
  assert.notDeepEqual(await remains(trace), []);
  const begin = performance.now();
  const gone = Promise.withResolvers<void>();
  const watcher = watch(dirname(trace.dir), () => existsSync(trace.dir) || gone.resolve());
  child.kill('SIGKILL');
  await gone.promise;
  const took = performance.now() - begin;
  watcher.close();
  assert.ok(took < 1000, `took ${took.toFixed()} ms`);
  // The keeper itself exits right after the folder is gone.
  await assertKeeperGone(trace);
  await assertClean(trace);
});

async function assertKeeperGone(trace: LabTrace): Promise<void> {
  const deadline = Date.now() + 2000;
  while ((await remains(trace)).length > 0 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
}
