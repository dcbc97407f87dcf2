import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { Life } from '@rfo/foundation';
import { noFaults, renderFaults, renderInboundBlock, withCut, withIsolated, withoutHost, withSlow } from './faults.ts';
import { assertClean, createLab, type Host, type Lab, remains, type Service } from './index.ts';
import type { EchoReport } from './testing/echo.ts';

const skip = process.getuid?.() === 0 ? false : 'network namespaces need root';
const echo = [process.execPath, join(import.meta.dirname, 'testing/echo.ts')];

async function serveEcho(host: Host): Promise<void> {
  assert.deepEqual(await firstLines(await host.spawn('echo', [...echo, 'serve']), 1), ['up']);
}
async function firstLines(service: Service, count: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of service.lines(AbortSignal.timeout(20_000))) if (lines.push(line) === count) break;
  return lines;
}
const size = async (path: string): Promise<number> => (await stat(path)).size;
async function ask(from: Host, to: { readonly ip: string }, count: number, pause: number): Promise<EchoReport> {
  return JSON.parse(await from.must([...echo, 'ask', to.ip, String(count), String(pause)])) as EchoReport;
}
const reaches = async (from: Host, to: { readonly ip: string }): Promise<boolean> => (await ask(from, to, 1, 0)).answered === 1;
const connects = async (from: Host, to: Host, port: number): Promise<boolean> =>
  (await from.exec(['timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${to.ip}/${port}`])).code === 0;
const push = async (from: Host, to: Host, bytes: number): Promise<number> =>
  Number(await from.must([...echo, 'push', to.ip, String(bytes)], { timeout: 20_000 }));

test('the rules of a switch name the port of a host with and without a wire', () => {
  const cut = withCut(noFaults, { from: 'a', to: 'b', oneWay: true });
  const faults = withSlow(withIsolated(withCut(cut, { from: 'b', to: 'a', oneWay: false }), 'c'), 'd', { delayMs: 5, lossPercent: 2.5 });
  assert.deepEqual(renderFaults(faults).split('\n'), [
    'table bridge faults',
    'delete table bridge faults',
    'table bridge faults {',
    '  chain forward {',
    '    type filter hook forward priority 0; policy accept;',
    '    iifname { "v-a", "x-a" } oifname { "v-b", "x-b" } drop',
    '    iifname { "v-b", "x-b" } oifname { "v-a", "x-a" } drop',
    '    iifname { "v-c", "x-c" } drop',
    '    oifname { "v-c", "x-c" } drop',
    '    iifname { "v-d", "x-d" } numgen random mod 10000 < 250 drop',
    '    oifname { "v-d", "x-d" } numgen random mod 10000 < 250 drop',
    '  }',
    '}',
    '',
  ]);
  assert.deepEqual(
    ['a', 'c', 'd'].reduce((left, name) => withoutHost(left, name), faults),
    noFaults,
  );
  assert.equal(renderFaults(noFaults), 'table bridge faults\ndelete table bridge faults\n');
});

test('a host drops what would open a connection to the ports named, or to any', () => {
  assert.match(
    renderInboundBlock([22, 10250]),
    /iifname "eth0" tcp dport \{ 22, 10250 \} tcp flags & \(fin \| syn \| rst \| ack\) == syn drop/,
  );
  assert.match(renderInboundBlock('all'), /iifname "eth0" tcp flags/);
  assert.doesNotMatch(renderInboundBlock('none'), /drop/);
});

describe('faults between hosts', { skip, timeout: 60_000 }, () => {
  const life = new Life();
  let lab: Lab;
  let a: Host;
  let b: Host;
  let c: Host;
  before(async () => {
    lab = await createLab({ name: 'faults', life });
    [a, b, c] = [await lab.addHost({ name: 'a' }), await lab.addHost({ name: 'b' }), await lab.addHost({ name: 'c' })];
    await Promise.all([a, b, c].map(serveEcho));
  });
  after(async () => {
    await life.end();
    await assertClean(lab.trace);
  });
  afterEach(() => lab.heal());

  test('a cut parts two hosts, and no others', async () => {
    await lab.cut(a, b);
    assert.deepEqual(await Promise.all([reaches(a, b), reaches(b, a), reaches(a, c), reaches(b, c)]), [false, false, true, true]);
    await lab.heal();
    assert.deepEqual(await Promise.all([reaches(a, b), reaches(b, a)]), [true, true]);
  });

  test('a one-way cut lets through what goes the other way', async () => {
    // So that they know each other: an address that must be asked for first needs an answer.
    assert.deepEqual([await reaches(b, a), await reaches(a, b)], [true, true]);
    await lab.cut(a, b, { oneWay: true });
    const datagrams = async (host: Host): Promise<number> =>
      Number((await host.readFile('/proc/net/snmp')).match(/^Udp: (\d+)/m)?.[1] ?? Number.NaN);
    const before = [await datagrams(a), await datagrams(b)];
    assert.equal(await reaches(b, a), false, 'the answer of a is lost');
    assert.equal(await datagrams(a), (before[0] ?? 0) + 1, 'the question of b arrives');
    assert.equal(await reaches(a, b), false);
    assert.equal(await datagrams(b), before[1]);
  });

  test('an isolated host reaches nobody, also none that comes later', async () => {
    await lab.isolate(a);
    const late = await lab.addHost({ name: 'late' });
    await serveEcho(late);
    assert.deepEqual(await Promise.all([reaches(a, b), reaches(c, a), reaches(a, late), reaches(b, c), reaches(b, late)]), [
      false,
      false,
      false,
      true,
      true,
    ]);
    await late.destroy();
    assert.deepEqual(
      lab.hosts().map(({ name }) => name),
      ['a', 'b', 'c'],
    );
  });

  test('loss takes about as many packets as it says, in each direction', async () => {
    await lab.slow(a, { lossPercent: 30 });
    const { answered } = await ask(a, b, 200, 1);
    // 49 % of the round trips are left: six standard deviations of 200 are 42.
    assert.ok(answered > 56 && answered < 140, `${answered} of 200`);
    assert.equal((await ask(b, c, 50, 1)).answered, 50);
    await lab.heal();
    assert.equal((await ask(a, b, 50, 1)).answered, 50);
  });

  test('a delay holds for each way, through a power cut, and TCP lives with it', async () => {
    await lab.slow(a, { delayMs: 40, jitterMs: 10 });
    const slow = await ask(a, b, 9, 20);
    assert.ok(slow.median >= 80 && slow.median < 160, `${slow.median} ms`);
    assert.equal(await push(a, b, 2_000_000), 2_000_000);
    await a.powerCut();
    await a.boot();
    assert.ok((await ask(a, b, 9, 20)).median >= 80);
    assert.equal(wires(await remains(lab.trace)).length, 1);
    await lab.cut(a, b);
    assert.equal(await reaches(a, b), false, 'a cut holds behind a wire too');
    await lab.heal();
    const quick = await ask(a, b, 9, 20);
    assert.ok(quick.median < 20, `${quick.median} ms`);
    assert.deepEqual(wires(await remains(lab.trace)), []);
    assert.equal(await push(a, b, 2_000_000), 2_000_000);
    await serveEcho(a);
  });

  test('a frozen host stands still, acknowledges the network, and goes on where it was', async () => {
    const ticker = await a.spawn('ticker', ['sh', '-c', 'while :; do echo tick; sleep 0.01; done']);
    await firstLines(ticker, 1);
    await a.freeze();
    const stopped = await size(ticker.logFile);
    await assert.rejects(a.exec(['true'], { timeout: 300 }), /did not happen within/);
    assert.deepEqual([await connects(b, a, 7), await reaches(b, a)], [true, false]);
    assert.equal(await size(ticker.logFile), stopped);
    await a.thaw();
    await firstLines(ticker, stopped / 'tick\n'.length + 1);
    await a.freeze();
    await a.powerCut();
    assert.equal(await ticker.exited, 137);
    await a.boot();
    await serveEcho(a);
    assert.ok(await reaches(b, a));
  });

  test('a new address takes the place of the old one, also after a power cut', async () => {
    const old = c.ip;
    await assert.rejects(c.changeAddress(b.ip), /is the address of b/);
    await c.changeAddress('10.98.0.77');
    assert.equal(c.ip, '10.98.0.77');
    assert.ok(await reaches(a, c));
    assert.equal(await reaches(a, { ip: old }), false);
    assert.match(await c.readFile('/etc/hosts'), /^10\.98\.0\.77 c$/m);
    assert.match(await c.must(['ip', 'route']), /^default via 10\.98\.0\.1/m);
    await c.powerCut();
    await c.boot();
    await serveEcho(c);
    assert.ok(await reaches(a, c));
    assert.match(await c.readFile('/etc/hosts'), /^10\.98\.0\.77 c$/m);
  });

  test('blocked ports take no connection from outside, open ones and those from inside live on', async () => {
    const client = [
      'bash',
      '-c',
      `exec 3<>/dev/tcp/${b.ip}/7; echo one >&3; head -n1 <&3; read -r go < /tmp/go; echo two >&3; head -n1 <&3`,
    ];
    await a.must(['mkfifo', '/tmp/go']);
    const open = await a.spawn('client', client);
    assert.deepEqual(await firstLines(open, 1), ['one']);
    await b.blockInbound([7]);
    assert.deepEqual(await Promise.all([connects(a, b, 7), connects(b, b, 7)]), [false, true]);
    await a.must(['sh', '-c', 'echo > /tmp/go']);
    assert.deepEqual(await firstLines(open, 2), ['one', 'two']);
    await b.blockInbound([22]);
    assert.equal(await connects(a, b, 7), true);
    await b.blockInbound('all');
    assert.equal(await connects(a, b, 7), false);
    await lab.heal();
    assert.equal(await connects(a, b, 7), true);
  });

  test('a wiped host comes back with its name and address, and with nothing else', async () => {
    await a.writeFile('/var/lib/rancher/x', 'x');
    await a.writeFile('/etc/x', 'x');
    const before = [await a.must(['hostname']), a.ip, await a.readFile('/etc/machine-id')];
    await a.wipe();
    assert.equal((await a.exec(['cat', '/var/lib/rancher/x', '/etc/x'])).stdout, '');
    assert.deepEqual([await a.must(['hostname']), a.ip], before.slice(0, 2));
    assert.notEqual(await a.readFile('/etc/machine-id'), before[2]);
    await serveEcho(a);
    assert.ok(await reaches(b, a));
  });
});

test('names and addresses that a lab cannot give are refused with a reason', { skip, timeout: 30_000 }, async () => {
  await using life = new Life();
  const lab = await createLab({ name: 'refuse', life });
  await lab.addHost({ name: 'a', ip: '10.98.0.12' });
  await assert.rejects(lab.addHost({ name: 'a' }), /there is a host a already/);
  await assert.rejects(lab.addHost({ name: 'fourteen-chars' }), /cannot be a host's name/);
  await assert.rejects(lab.addHost({ name: 'outside' }), /no host can be called outside/);
  await assert.rejects(lab.addHost({ name: 'b', ip: '10.98.0.12' }), /is the address of a/);
  await assert.rejects(lab.addHost({ name: 'b', ip: '10.98.1.12' }), /no address of the lab/);
  assert.equal((await lab.addHost({ name: 'b' })).ip, '10.98.0.11');
  assert.equal((await lab.addHost({ name: 'c' })).ip, '10.98.0.13');
});

function wires(left: readonly string[]): readonly string[] {
  return left.filter((line) => line.includes('wire.py relay'));
}
