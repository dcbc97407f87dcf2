import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { testInputs } from '../../agent/test-inputs.ts';
import { parseMountinfo } from '../proc.ts';
import { checkFolders, mountOf } from './folders.ts';
import { checkKernel } from './kernel.ts';
import { holderOf, listListeners, parseListeners } from './listeners.ts';
import { checkNamedFiles } from './named-files.ts';
import { clock } from './names.ts';
import { agentPortsOf, checkPorts, serverPortsOf } from './ports.ts';
import { renderFindings } from './render-findings.ts';
import { checkRuntime } from './runtime.ts';
import { networkManagerDropIn } from './services.ts';

const levels = async (...given: Parameters<typeof testInputs>): Promise<Record<string, string>> =>
  Object.fromEntries((await checkKernel(testInputs(...given))).map(({ topic, level }) => [topic, level]));

describe('check of the kernel', () => {
  const no = { ok: false, why: 'x' } as const;

  test('finds nothing to say of an ordinary host', async () => {
    assert.deepEqual(await levels(), { 'cgroups': 'ok', 'Services': 'ok', 'image layers': 'ok' });
  });

  test('fails a host that can carry no Services or limit no memory', async () => {
    assert.equal((await levels({ host: { nftables: no, iptables: no } })).Services, 'fail');
    assert.equal((await levels({ host: { nftables: no, iptables: no }, config: { 'disable-kube-proxy': true } })).Services, 'ok');
    assert.equal((await levels({ host: { nftables: no }, config: { 'kube-proxy-mode': 'nftables' } })).Services, 'fail');
    assert.equal((await levels({ host: { iptables: no }, config: { 'kube-proxy-mode': 'iptables' } })).Services, 'fail');
    assert.equal((await levels({ host: { nftables: no } })).Services, 'ok');
    assert.equal((await levels({ host: { cgroupControllers: ['cpu', 'cpuset', 'pids'] } })).cgroups, 'fail');
  });

  test('warns of what works worse', async () => {
    assert.equal((await levels({ host: { cgroup: 'v1' } })).cgroups, 'warn');
    assert.equal((await levels({ host: { overlayfs: no } }))['image layers'], 'warn');
  });
});

describe('check of ports', () => {
  test('reads who listens where', () => {
    const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:19EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0B000A0A:1F90 0C000A0A:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000000000000000000000000000:280A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1
   3: 0000000000000000FFFF00000B000A0A:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1
`;
    assert.deepEqual(parseListeners(text), [
      { address: '127.0.0.1', port: 6635, inode: '4711' },
      { address: '::', port: 10250, inode: '4713' },
      { address: '10.10.0.11', port: 22, inode: '4714' },
    ]);
  });

  test('finds the process that holds a socket', async () => {
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const listener = (await listListeners()).find((each) => each.port === port);
    assert.equal((await holderOf(listener?.inode ?? ''))?.pid, process.pid);
    assert.equal(await holderOf('0'), undefined);
  });

  test('asks for the ports of what runs, and no others', () => {
    const ports = (config: Parameters<typeof testInputs>[0]) => serverPortsOf(testInputs(config).config).map(({ port }) => port);
    assert.deepEqual(ports({}), [9345, 6443, 2379, 2380, 2381, 2382, 10257, 10259, 10250, 10248, 10256, 10249]);
    assert.deepEqual(ports({ config: { 'disable-agent': true, 'disable-scheduler': true } }), [9345, 6443, 2379, 2380, 2381, 2382, 10257]);
    assert.deepEqual(ports({ config: { 'disable-agent': true, 'disable-etcd': true } }), [9345, 6443, 2379, 10257, 10259]);
    assert.deepEqual(ports({ config: { 'disable-agent': true, 'disable-apiserver': true } }), [9345, 6443, 2379, 2380, 2381, 2382]);
    assert.deepEqual(
      agentPortsOf({ 'lb-server-port': 6444 }).map(({ port }) => port),
      [6443, 6444, 10250, 10248, 10256, 10249],
    );
  });

  test('does not count its own process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rfo-ports-'));
    try {
      const inputs = testInputs({ dataDir: folder, runDir: folder });
      for (const { level, found } of await checkPorts(inputs)) assert.ok(level === 'ok' || !found.includes(`pid ${process.pid})`), found);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('check of the runtime', () => {
  test('refuses a default runtime that nothing declares', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rfo-runtime-'));
    try {
      const inputs = testInputs({ dataDir: folder, config: { 'default-runtime': 'crun' } });
      const levels = async (): Promise<string[]> => (await checkRuntime(inputs)).map(({ level }) => level);
      assert.deepEqual(await levels(), ['fail']);
      const dropIns = join(folder, 'agent/etc/containerd/config.toml.d');
      await mkdir(dropIns, { recursive: true });
      await writeFile(join(dropIns, 'crun.toml'), `[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]\n`);
      assert.deepEqual(await levels(), ['ok']);
      assert.deepEqual(await checkRuntime(testInputs({ config: { 'default-runtime': 'runc' } })), []);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('refuses labels where SELinux is not', { skip: existsSync('/sys/fs/selinux/enforce') && 'this host has SELinux' }, async () => {
    const findings = await checkRuntime(testInputs({ config: { selinux: true } }));
    assert.deepEqual(
      findings.map(({ level, found }) => [level, found]),
      [['fail', 'selinux is set, but this host runs without it']],
    );
  });
});

describe('check of named files', () => {
  test('names the option whose file is missing', async () => {
    const config = { 'audit-policy-file': '/nowhere/audit.yaml', 'pod-security-admission-config-file': import.meta.filename };
    assert.deepEqual(await checkNamedFiles(testInputs({ config })), [
      {
        level: 'fail',
        topic: 'audit-policy-file',
        found: 'audit-policy-file: /nowhere/audit.yaml cannot be read (ENOENT)',
        cure: 'Put it there, or leave audit-policy-file out',
      },
    ]);
  });
});

describe('check of folders', () => {
  test('finds the mount that a path lies in', () => {
    const mounts = parseMountinfo(`1 0 8:1 / / rw - ext4 a rw
2 1 8:2 / /var rw,noexec - ext4 b rw
3 2 8:3 / /var/lib rw - ext4 c rw
4 3 8:4 / /var/lib rw,ro - ext4 d rw
`);
    assert.equal(mountOf('/var/lib/rancher', mounts)?.id, 4);
    assert.equal(mountOf('/var/library', mounts)?.id, 2);
    assert.equal(mountOf('/srv', mounts)?.id, 1);
  });

  test('leaves out the sockets of the container runtime where none runs', async () => {
    const config = { 'disable-agent': true };
    assert.deepEqual(await checkFolders(testInputs({ dataDir: `/${'d'.repeat(90)}`, config })), []);
    assert.match(
      (await checkFolders(testInputs({ runDir: `/${'r'.repeat(100)}`, config }))).map(({ found }) => found).join(),
      /too long for a socket/,
    );
  });

  test('refuses paths in which no socket fits', async () => {
    const level = async (length: number): Promise<string[]> =>
      (await checkFolders(testInputs({ dataDir: `/${'d'.repeat(length - 1)}` }))).map(({ found }) => found);
    // 42 bytes of /agent/kubelet/pod-resources/kubelet.sock follow the data directory.
    assert.deepEqual(await level(107 - 41), []);
    assert.match((await level(108 - 41)).join(), /too long for a socket/);
  });
});

describe('check', () => {
  test('writes the drop-in for NetworkManager that packages install', async () => {
    assert.equal(await readFile(join(import.meta.dirname, '../../../../../deploy/openeuler/rfo.conf'), 'utf8'), networkManagerDropIn);
  });

  test('fails a clock before this program was written', () => {
    assert.equal(clock(Date.UTC(1970, 0, 1)).level, 'fail');
    assert.equal(clock(Date.UTC(2030, 0, 1)).level, 'ok');
  });

  test('shows a table with cures and a verdict', () => {
    assert.equal(
      renderFindings([
        { level: 'ok', topic: 'swap', found: 'off' },
        { level: 'fail', topic: 'cgroups', found: 'none', cure: 'Mount them' },
      ]),
      'OK    swap     off\nFAIL  cgroups  none\n               → Mount them\n\nA node cannot run here: 1 to repair, 0 to consider.\n',
    );
  });
});
