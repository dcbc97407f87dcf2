import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import { assertSameFootprint, footprintOf } from '../../harness/footprint.ts';
import { announced, firstSignIn } from '../../harness/manager/announced.ts';
import { passwordOf, peopleOn } from '../../harness/manager/people.ts';
import { dataDir, type Node, untilLine } from '../../harness/node.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';

const component = 'rfo-manager';

export const scenario: Scenario = {
  name: 'manager-embedded',
  about: 'a node that runs the manager too tells how to sign in, once; the manager outlives kills, and Ctrl-C leaves nothing of it',
  short: true,
  timeout: 600_000,
  run: async (context) => {
    const { step, check, note, life } = context;
    const { signal } = life;
    const node = await context.addNode('node', { config: { manager: true }, env: { RFO_FOREGROUND: '1' } });
    const before = await footprintOf(node.host);
    const address = `https://${node.host.ip}:8443`;

    const told = await step('the node gets ready, and tells the address, the CA and a password for one sign-in', async () => {
      await node.start();
      await node.untilReady();
      const text = await announced(node, signal);
      assert.match(text, new RegExp(`^The manager is ready at ${address}$`, 'm'));
      return firstSignIn(text) ?? assert.fail(text);
    });
    const people = peopleOn(node, { address, pin: () => told.pin, signal });
    const whoami = async (): Promise<true | undefined> => /^username: admin$/m.test(await people.as('admin', ['whoami'])) || undefined;

    await check('the password stands in no file of the node and in no arguments', async () => {
      const search = ['grep', '-rlF', told.password, `${dataDir}/logs`, `${dataDir}/server/etc`, `${dataDir}/server/cred`, '/run/rfo'];
      assert.deepEqual(await node.host.exec(search).then(({ code, stdout }) => ({ code, stdout })), { code: 1, stdout: '' });
      const inArguments = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c -- "$(cat)"`;
      assert.equal((await node.host.exec(['sh', '-c', inArguments], { input: told.password })).stdout, '0\n');
    });
    await check('its key, kubeconfig and settings are for root alone', async () => {
      const files = ['server/tls/client-manager.key', 'server/cred/manager.kubeconfig', 'server/etc/rfo-manager.yaml'];
      const modes = await node.host.must(['stat', '-c', '%a %U', ...files.map((file) => `${dataDir}/${file}`)]);
      assert.equal(modes, '600 root\n600 root\n600 root\n');
    });
    await step('the administrator signs in by it and gives himself another, and it is good no more', async () => {
      await people.signIn('admin', told.password, passwordOf('admin'));
      await people.signIn('admin', passwordOf('admin'));
      await assert.rejects(people.signIn('stranger', told.password));
      assert.equal(await whoami(), true);
    });
    await check('he works in this cluster by the manager', async () => {
      const { code, stdout, stderr } = await people.kubectl('admin', 'local', ['get', 'nodes', '-o', 'name']);
      assert.equal(code, 0, stderr);
      assert.equal(stdout, `node/${node.host.name}\n`);
    });
    await tellMemory(context, node);
    await step('killed, it comes back with the session alive', async () => {
      const { [component]: pid } = await node.pids();
      assert.ok(pid !== undefined);
      await node.host.must(['kill', '-KILL', String(pid)]);
      const began = performance.now();
      const another = async (): Promise<true | undefined> => {
        const { [component]: now } = await node.pids();
        return now !== undefined && now !== pid ? true : undefined;
      };
      await eventually('another process of the manager', another, { signal });
      await eventually('the session to be known', whoami, { signal });
      note(`it answers ${((performance.now() - began) / 1000).toFixed(1)} s after the kill`);
    });
    await step('a new rfo adopts it, and tells the address alone', async () => {
      const { [component]: pid } = await node.pids();
      assert.equal(await node.stop('SIGUSR2'), 0);
      await node.start();
      await node.untilReady();
      assert.equal((await node.pids())[component], pid);
      const text = await announced(node, signal);
      assert.match(text, new RegExp(`^The manager is ready at ${address}$`, 'm'));
      assert.doesNotMatch(text, /password|login/);
      assert.equal(await whoami(), true);
    });
    await step('a manager that cannot start keeps nobody from the node, and serves again when that is mended', async () => {
      const broken = ['tls-cert-file=/root/nowhere.pem', 'tls-key-file=/root/nowhere.pem'];
      for (const config of [{ 'manager': true, 'manager-arg': broken }, { manager: true }]) {
        assert.equal(await node.stop('SIGUSR2'), 0);
        await node.configure(config);
        await node.start();
        await node.untilReady();
        if ('manager-arg' in config) await untilLine(node.service(), / rfo-manager: restarting .*nowhere\.pem/, { signal, within: 60_000 });
      }
      assert.doesNotMatch(await announced(node, signal), /password|login/);
      assert.equal(await whoami(), true);
    });
    await step('Ctrl-C ends everything and leaves nothing on the host', async () => {
      const code = await node.stop('SIGINT');
      assert.ok(code === 0 || code === 130, `exit code ${code}`);
      assertSameFootprint(await footprintOf(node.host), before);
      assert.match(await node.host.readFile(`${dataDir}/logs/${component}.log`), /all that had begun is answered\n$/);
    });
  },
};

/** In MB, as the kernel counts (proc_pid_smaps(5)): what is shared with rfo itself, which runs the same Node, counts half in each. */
async function tellMemory({ note }: ScenarioContext, node: Node): Promise<void> {
  const { [component]: manager } = await node.pids();
  const look = async (name: string, pid: number | undefined): Promise<string> => {
    const text = await node.host.must(['cat', `/proc/${pid}/smaps_rollup`]);
    const megabytes = (key: string): string => (Number(new RegExp(`^${key}: +(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024).toFixed(0);
    return `${name} ${megabytes('Pss')} MB PSS, of it ${megabytes('Pss_Anon')} anonymous`;
  };
  note(`${await look('manager:', manager)}; ${await look('rfo:', await node.servicePid())}`);
}
