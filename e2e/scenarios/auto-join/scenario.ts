import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import type { Node } from '../../harness/node.ts';
import type { Scenario, ScenarioContext } from '../../harness/scenario.ts';
import type { FullHost } from '../../lab/index.ts';
import { repository } from '../../lab/index.ts';
import { rfoInstallation, seedFolder, succeeds } from './authority.ts';
import { judgeFormats } from './formats.ts';
import { loadImages, podOn, publishKubelet, putPodNetwork } from './plain-kubelet.ts';
import { refuseThieves, tokenOf } from './refusals.ts';
import { bootSeeded, joinLog, putTestImages, untilCloudInit, untilNodeReady } from './seeded-host.ts';
import { readWalkThrough, type WalkThrough, walkThrough } from './walk-through.ts';

export const scenario: Scenario = {
  name: 'auto-join',
  about:
    'the walk-through of docs/auto-join.md: an agent and a plain kubelet join a control plane outside by cloud-init alone; thieves are refused',
  short: false,
  timeout: 1_800_000,
  run: async (context) => {
    const { step, addNode } = context;
    const blocks = await readWalkThrough('auto-join.md');
    const control = await step('a host for the control plane is there, with RFO installed', async () => {
      const node = await addNode('control', { full: true });
      await install(node.host as FullHost);
      return node;
    });
    const walk = walkThrough(blocks, control.host);
    const on = { control: control.host };
    await step('the CA is made and served', () => walk.run('The authority', on));
    await step('the control plane is ready, with that CA', async () => {
      await walk.run('The control plane', on);
      assert.equal(await control.kubectl(['get', 'nodes', '-o', 'name']), '');
    });
    await step('the programs are packed', async () => {
      await walk.run('The programs', on);
      await publishKubelet(control);
    });
    const agent = await joinAgent(context, control, walk);
    const { host: kubelet, token } = await joinKubelet(context, control, walk);
    await joinByScript(context, control);
    await refuseThieves(context, control, { node: 'worker-2', token });
    await judgeFormats(context, control, agent);
    await renew(context, { control, walk, kubelet });
    await step('a node that reboots is Ready again, and does not join anew', async () => {
      const before = await control.kubectl(['get', 'node', 'worker-1', '-o', 'jsonpath={.metadata.uid}']);
      await agent.reboot();
      await untilCloudInit(agent);
      await untilNodeReady(context, { server: control, host: agent, name: 'worker-1' });
      assert.equal(await control.kubectl(['get', 'node', 'worker-1', '-o', 'jsonpath={.metadata.uid}']), before);
      assert.match(await agent.must(['systemctl', 'show', 'rfo-join', '-p', 'ConditionResult']), /=no/);
    });
    await shutOut(context, { control, walk, kubelet });
    walk.assertWhole();
  },
};

/** What an administrator puts on the host of the control plane. */
async function install(host: FullHost): Promise<void> {
  for (const [path, content] of Object.entries(await rfoInstallation())) await host.writeFile(`/usr/local/${path}`, content, '0755');
  for (const unit of ['rfo-server', 'rfo-ca', 'rfo-agent']) {
    const content = await readFile(join(repository, `deploy/systemd/${unit}.service`), 'utf8');
    await host.writeFile(`/usr/local/lib/systemd/system/${unit}.service`, content);
  }
  await host.systemctl('daemon-reload');
}

async function joinAgent(context: ScenarioContext, control: Node, walk: WalkThrough): Promise<FullHost> {
  const { step, note, life } = context;
  const chapter = 'An agent of RFO';
  const on = { control: control.host };
  await step('user data of an agent is written', () => walk.run(chapter, on));
  const begin = performance.now();
  const host = await step('worker-1 is switched on', async () => {
    const made = await bootSeeded(context, 'worker-1', walk.commandLine(chapter));
    await untilCloudInit(made);
    return made;
  });
  await step('worker-1 is Ready', async () => {
    await told(() => walk.run(chapter, on), host);
    note(`Ready ${((performance.now() - begin) / 1000).toFixed(1)} s after it was switched on`);
  });
  await step('pods run on it, and can be entered', async () => {
    await control.apply(podOn('on-agent', 'worker-1'));
    await control.wait(['--for=condition=Ready', 'pod/on-agent']);
    assert.equal(await control.kubectl(['exec', 'on-agent', '--', 'hostname']), 'on-agent\n');
    await control.wait(['-n', 'kube-system', '--for=condition=Available', 'deployment/coredns']);
  });
  await step('the seed server has heard that it joined', () => untilReport(control, 'worker-1', life.signal));
  return host;
}

async function joinKubelet(
  context: ScenarioContext,
  control: Node,
  walk: WalkThrough,
): Promise<{ readonly host: FullHost; readonly token: string }> {
  const { step, note, life } = context;
  const chapter = 'A plain kubelet';
  const on = { control: control.host };
  await step('user data of a plain kubelet is written', () => walk.run(chapter, on));
  const token = await tokenOf(control, 'worker-2');
  const begin = performance.now();
  const host = await step('worker-2 is switched on', async () => {
    const made = await bootSeeded(context, 'worker-2', walk.commandLine(chapter));
    await putPodNetwork(made);
    await untilCloudInit(made);
    return made;
  });
  await step('it registers, with certificates of the CA', async () => {
    const listed = await told(() => walk.run(chapter, on), host);
    note(`registered ${((performance.now() - begin) / 1000).toFixed(1)} s after it was switched on`);
    assert.match(listed, /worker-2/);
    assert.equal((await host.exec(['test', '-e', '/etc/rfo-join/token'])).code, 1, 'the token was left there');
  });
  await step('it is Ready, and a pod runs on it', async () => {
    await told(async () => {
      await loadImages(host, life.signal);
      await untilNodeReady(context, { server: control, host, name: 'worker-2' });
      await control.apply(podOn('on-kubelet', 'worker-2'));
      await control.wait(['--for=condition=Ready', 'pod/on-kubelet']);
    }, host);
    assert.equal(await control.kubectl(['get', 'nodes', '-l', 'bgp=worker', '-o', 'name']), 'node/worker-1\nnode/worker-2\n');
  });
  await step('the API server knows its kubelet by its serving certificate', async () => {
    assert.match(await control.kubectl(['logs', 'on-kubelet']), /^started on/);
  });
  await step('the seed server has heard that it joined', () => untilReport(control, 'worker-2', life.signal));
  return { host, token };
}

/** A host without cloud-init, on which somebody runs the script. */
async function joinByScript(context: ScenarioContext, control: Node): Promise<void> {
  const { step, lab } = context;
  await step('a host joins by the script, too', async () => {
    const host = await lab.addFullHost({ name: 'worker-3' });
    await host.untilBooted();
    await putTestImages(host);
    for (const [path, content] of Object.entries(await rfoInstallation())) await host.writeFile(`/usr/local/${path}`, content, '0755');
    const script = await succeeds(control, [
      'ca',
      'join-config',
      '--node',
      'worker-3',
      '--server',
      `https://${control.host.ip}:9345`,
      '--format',
      'script',
    ]);
    await host.must(['sh', '-s'], { input: script });
    await untilNodeReady(context, { server: control, host, name: 'worker-3' });
  });
}

async function renew(
  { step, life }: ScenarioContext,
  { control, walk, kubelet }: { readonly control: Node; readonly walk: WalkThrough; readonly kubelet: FullHost },
): Promise<void> {
  await step('both certificates of the kubelet are renewed while it runs', async () => {
    const served = async (): Promise<string> => {
      const question = 'openssl s_client -connect "$1:10250" </dev/null 2>/dev/null | openssl x509 -noout -serial';
      return await control.host.must(['sh', '-ec', question, 'sh', kubelet.ip]);
    };
    const before = await served();
    const pid = await kubelet.must(['systemctl', 'show', 'kubelet', '-p', 'MainPID']);
    await kubelet.must(['sh', '-ec', 'for kind in client serving; do echo 999999999 >/var/lib/kubelet/pki/$kind.due; done']);
    assert.match(await walk.run('A plain kubelet', { 'worker-2': kubelet }), /CN ?= ?system:node:worker-2/);
    // The kubelet looks at its files once a minute.
    await eventually('the kubelet to serve the new certificate', async () => ((await served()) === before ? undefined : true), {
      signal: life.signal,
      within: 180_000,
    });
    assert.equal(await kubelet.must(['systemctl', 'show', 'kubelet', '-p', 'MainPID']), pid);
    assert.match(await control.kubectl(['logs', 'on-kubelet']), /^started on/);
    const { length } = JSON.parse(await succeeds(control, ['ca', 'list', '--node', 'worker-2', '-o', 'json'])) as readonly object[];
    assert.equal(length, 4);
  });
}

async function shutOut(
  { step, life }: ScenarioContext,
  { control, walk, kubelet }: { readonly control: Node; readonly walk: WalkThrough; readonly kubelet: FullHost },
): Promise<void> {
  await step('a node that is shut out is gone, and cannot come back', async () => {
    await walk.run('Shut a node out', { control: control.host });
    const said = async (): Promise<true | undefined> => {
      await kubelet.must(['systemctl', 'restart', 'kubelet']);
      return /this certificate was revoked/.test(
        (await kubelet.exec(['journalctl', '-q', '--no-pager', '-u', 'kubelet', '-n', '400'])).stdout,
      )
        ? true
        : undefined;
    };
    await eventually('the kubelet to be refused', said, { signal: life.signal });
    const { code, stderr } = await control.tryKubectl(['get', 'node', 'worker-2']);
    assert.equal(code, 1);
    assert.match(stderr, /NotFound/);
    await control.wait(['--for=condition=Ready', 'node/worker-1']);
  });
}

async function untilReport(control: Node, id: string, signal: AbortSignal): Promise<void> {
  const joined = async (): Promise<true | undefined> =>
    /"status":"joined"/.test((await control.host.exec(['cat', `${seedFolder}/hosts/${id}/report.json`])).stdout) ? true : undefined;
  await eventually(`the report of ${id}`, joined, { signal });
}

/** A failure tells what the host said. */
async function told<T>(act: () => Promise<T>, host: FullHost): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${await joinLog(host)}`, { cause: error });
  }
}
