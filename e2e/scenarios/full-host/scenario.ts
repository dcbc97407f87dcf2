import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import { assertClean, type FullHost, type LabTrace, remains, repository } from '../../lab/index.ts';

const unit = `[Service]
Type=notify
NotifyAccess=all
ExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep infinity'
[Install]
WantedBy=multi-user.target
`;

/** The lab's own full hosts, without RFO. Not a unit test: the first one on a machine makes the base image, which takes a mirror and a minute. */
export const scenario: Scenario = {
  name: 'full-host',
  about: 'a host of the lab with systemd and ssh takes units, survives reboot and power cut, and leaves nothing on this machine',
  short: false,
  timeout: 900_000,
  run: async (context) => {
    const { step, check, lab, note } = context;
    const before = await machineView();
    const host = await step('the host is made', () => lab.addFullHost({ name: 'full' }));
    await step('systemd says that it is running', async () => {
      await host.untilBooted();
      assert.equal((await host.exec(['systemctl', 'is-system-running'])).stdout, 'running\n');
    });
    await check('ssh runs commands as root, with their exit code', async () => {
      assert.deepEqual(await host.ssh('hostname; id -u; exit 7'), { code: 7, stdout: 'full\n0\n', stderr: '' });
    });
    await check('it is an installed machine of its own, where nobody may set the clock of this one', async () => {
      assert.equal((await host.exec(['ls', '/usr/bin/npm'])).code, 2);
      assert.match(await host.readFile('/etc/os-release'), /^ID=debian$/m);
      // Not tried out: a scenario that fails must not do it. CAP_SYS_TIME is number 25.
      const question = 'grep -h ^CapBnd /proc/1/status /proc/self/status';
      const answers = (await host.must(['sh', '-c', question])) + (await host.ssh(question)).stdout;
      const masks = [...answers.matchAll(/^CapBnd:\t([0-9a-f]+)$/gm)].map(([, mask = '']) => BigInt(`0x${mask}`));
      assert.deepEqual(
        masks.map((mask) => (mask >> 25n) & 1n),
        [0n, 0n, 0n, 0n],
      );
    });
    await checkNetwork(context, host);
    await step('a unit is installed and started', async () => {
      await host.writeFile('/etc/systemd/system/tried.service', unit);
      await host.systemctl('daemon-reload');
      await host.systemctl('enable', '--now', 'tried');
      assert.equal(await host.systemctl('is-active', 'tried'), 'active\n');
    });
    await step('a reboot starts it again', async () => {
      const boot = await host.readFile('/proc/sys/kernel/random/boot_id');
      await host.reboot();
      assert.equal(await host.systemctl('is-active', 'tried'), 'active\n');
      assert.notEqual(await host.readFile('/proc/sys/kernel/random/boot_id'), boot);
    });
    await step('so does power after a power cut', async () => {
      await host.powerCut();
      assert.throws(() => host.init(), /switched off/);
      await host.boot();
      await host.untilBooted();
      assert.equal(await host.systemctl('is-active', 'tried'), 'active\n');
      assert.equal((await host.ssh('true')).code, 0);
    });
    await step('a wiped host is as new', async () => {
      await host.wipe();
      await host.untilBooted();
      assert.equal((await host.exec(['systemctl', 'is-active', 'tried'])).stdout, 'inactive\n');
      assert.equal((await host.ssh('hostname')).stdout, 'full\n');
    });
    await step('this machine has no mount and no cgroup hierarchy more', async () => {
      assert.deepEqual(await machineView(), before);
    });
    await step('when a test with a full host is killed, nothing is left', async () => note(`gone after ${await killOne(context)} ms`));
  },
};

async function checkNetwork({ check, lab }: ScenarioContext, host: FullHost): Promise<void> {
  await check('it is on one network with light hosts, with the same faults', async () => {
    const light = await lab.addHost({ name: 'light' });
    const connects = async (): Promise<boolean> =>
      (await light.exec(['timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${host.ip}/22`])).code === 0;
    assert.equal(await connects(), true);
    await lab.cut(light, host);
    assert.equal(await connects(), false);
    await lab.heal();
    await host.blockInbound([22]);
    assert.equal(await connects(), false);
    await lab.slow(host, { delayMs: 10 });
    await lab.heal();
    assert.equal(await connects(), true);
    await host.freeze();
    await assert.rejects(host.ssh('true', { timeout: 1000 }), /did not happen within/);
    await host.thaw();
    assert.equal((await host.ssh('true')).code, 0);
  });
}

/** What a host could change of this machine: mounts here, and the cgroup hierarchies that controllers belong to. */
async function machineView(): Promise<readonly string[]> {
  const hierarchies = (await readFile('/proc/cgroups', 'utf8')).split('\n').map((line) => line.split('\t').slice(0, 2).join(' '));
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '');
  return [...hierarchies, ...mounts];
}

async function killOne({ life }: ScenarioContext): Promise<number> {
  const program = join(repository, 'e2e/lab/testing/orphan.ts');
  const child = spawn(process.execPath, [program, 'full'], { stdio: ['ignore', 'pipe', 'inherit'] });
  life.defer(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data', { signal: life.signal });
  const trace = JSON.parse(String(line)) as LabTrace;
  assert.ok((await remains(trace)).length > 0);
  const begin = performance.now();
  child.kill('SIGKILL');
  await eventually('its end', async () => ((await remains(trace)).length === 0 ? true : undefined), {
    signal: life.signal,
    within: 20_000,
  });
  await assertClean(trace);
  return Math.round(performance.now() - begin);
}
