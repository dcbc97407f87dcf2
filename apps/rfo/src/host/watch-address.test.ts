import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { nodePaths } from '../paths.ts';
import { keepAddress, readKnownAddress } from './known-address.ts';
import { compare, createSettling } from './watch-address.ts';

const started = { nodeIps: ['192.0.2.11'], overlayIp: '192.0.2.11' } as const;

describe('what is seen of the address', () => {
  test('is a change only where there is something to change to', () => {
    assert.deepEqual(compare(started, started), { kind: 'here' });
    assert.deepEqual(compare(started, { nodeIps: ['192.0.2.12'], overlayIp: '192.0.2.12' }), {
      kind: 'moved',
      what: 'the address of this node has changed from 192.0.2.11 to 192.0.2.12',
    });
    assert.deepEqual(compare(started, { ...started, overlayIp: '198.51.100.1' }), {
      kind: 'moved',
      what: 'the address that flannel uses has changed from 192.0.2.11 to 198.51.100.1',
    });
    assert.deepEqual(compare(started, { ...started, overlayIp: undefined }), { kind: 'here' });
  });

  test('counts when it has stayed for a while, and at once when all is as it was', () => {
    const untilSettled = createSettling(1000);
    const [here, one, other] = [{ kind: 'here' }, { kind: 'gone', what: 'one' }, { kind: 'moved', what: 'other' }] as const;
    assert.equal(untilSettled(one, 5000), 1000);
    assert.equal(untilSettled(one, 5600), 400);
    assert.equal(untilSettled(other, 5900), 1000, 'another change begins anew');
    assert.equal(untilSettled(here, 6000), 0);
    assert.equal(untilSettled(other, 6100), 1000, 'what came back is new again');
    assert.equal(untilSettled(other, 7200), 0);
  });
});

test('what a node was known by is kept for its next start, and a damaged file is named', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'rfo-address-'));
  try {
    const paths = nodePaths({ dataDir, runDir: dataDir, etcDir: dataDir });
    assert.equal(await readKnownAddress(paths), undefined);
    const known = { nodeIps: ['192.0.2.11', '198.51.100.1'], iface: 'eth0', configured: true } as const;
    await keepAddress(paths, known);
    assert.deepEqual(await readKnownAddress(paths), known);
    await keepAddress({ nodeAddress: paths.nodeAddress }, { ...known, nodeIps: ['192.0.2.12'] });
    assert.deepEqual((await readKnownAddress(paths))?.nodeIps, ['192.0.2.12']);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('a running node hears of its address, in a network of its own', {
  skip: process.geteuid?.() !== 0 && 'needs root',
  timeout: 60_000,
}, async () => {
  const scene = join(import.meta.dirname, 'watch-address.scene.ts');
  const child = spawn('unshare', ['--net', process.execPath, '--disable-warning=ExperimentalWarning', scene], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split('\n'), [
    'warn node-ip 192.0.2.11, which this node has been known by, is no address of this host any more, which has: 192.0.2.12. Give it back to an interface, and the node goes on by itself; or correct node-ip and restart rfo.',
    'info this node has its address again',
    'found 192.0.2.11 when it came',
    'warn the address 192.0.2.11 of this node is gone, and neither eth0 nor the interface of the default route has another; this host has: 198.51.100.1. The node goes on by itself once there is one; to move it to another interface, give the address there as node-ip.',
    'moved: the address of this node has changed from 192.0.2.11 to 192.0.2.13',
  ]);
});
