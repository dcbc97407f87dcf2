import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { folderOf, rfo, startRfo } from './rfo.testing.ts';

const show = '#!/bin/sh\necho "$KUBECONFIG|$CRI_CONFIG_FILE|$CONTAINERD_ADDRESS|$CONTAINERD_NAMESPACE|$*"\nexit 7\n';
const bin = Object.fromEntries(['kubectl', 'crictl', 'ctr', 'helm'].map((name) => [`data/bin/${name}`, show]));

async function node() {
  const made = await folderOf({ ...bin, 'admin.yaml': '', 'config.yaml': '' });
  const env = { RFO_DATA_DIR: `${made.folder}/data`, RFO_RUN_DIR: `${made.folder}/run`, RFO_WRITE_KUBECONFIG: `${made.folder}/admin.yaml` };
  return { ...made, env };
}

test('a tool gets its arguments untouched and knows the node, and its exit code is ours', async () => {
  await using made = await node();
  const run = (...argv: string[]) => rfo(argv, made.env);
  const [kubectl, crictl, ctr, helm] = await Promise.all([
    run('kubectl', 'get', '--help', '-c', 'x'),
    run('crictl', 'ps'),
    run('ctr', '-v'),
    run('helm'),
  ]);
  assert.deepEqual(kubectl, { status: 7, stdout: `${made.folder}/admin.yaml||||get --help -c x\n`, stderr: '' });
  assert.equal(crictl.stdout, `|${made.folder}/data/agent/etc/crictl.yaml|||ps\n`);
  assert.equal(ctr.stdout, `||${made.folder}/run/containerd/containerd.sock|k8s.io|-v\n`);
  assert.equal(helm.stdout, `${made.folder}/admin.yaml||||\n`);
});

test('what the user set himself is kept', async () => {
  await using made = await node();
  const { stdout } = await rfo(['kubectl'], { ...made.env, KUBECONFIG: '/mine', CONTAINERD_NAMESPACE: 'other' });
  assert.equal(stdout, '/mine|||other|\n');
});

test('a mistake elsewhere in the configuration does not keep from the tool', async () => {
  await using made = await folderOf({ ...bin, 'config.yaml': 'wat: 1\ncni: 7\n' });
  const { status } = await rfo(['ctr'], { RFO_CONFIG_FILE: `${made.folder}/config.yaml`, RFO_DATA_DIR: `${made.folder}/data` });
  assert.equal(status, 7);
});

test('a missing kubeconfig is told of, and a missing bundle is an error', async () => {
  await using made = await node();
  const early = await rfo(['kubectl'], { ...made.env, RFO_WRITE_KUBECONFIG: '/nowhere/admin.yaml' });
  assert.equal(early.stderr, 'rfo: there is no /nowhere/admin.yaml yet. Start the node first, or set KUBECONFIG.\n');
  await mkdir(`${made.folder}/empty`);
  const none = await rfo(['crictl'], { ...made.env, RFO_DATA_DIR: `${made.folder}/empty` });
  assert.deepEqual([none.status, none.stderr.includes(`are not in ${made.folder}/empty/bin`)], [3, true]);
});

/** A tool that waits for a signal. No shell: one that is signalled while it starts its `sleep` loses the signal. */
const patientTool = `#!${process.execPath}
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { console.log('ended'); process.exit(5); });
setInterval(() => undefined, 1e6);
console.log('ready');
`;

test('a signal reaches the tool, and the end it makes is ours', async () => {
  await using made = await node();
  await using tools = await folderOf({
    'data/bin/ctr': patientTool,
    'data/bin/helm': '#!/bin/sh\nkill -KILL $$\n',
  });
  const env = { ...made.env, RFO_DATA_DIR: `${tools.folder}/data` };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = startRfo(['ctr'], env);
    let out = '';
    for await (const chunk of child.stdout) {
      out += chunk;
      if (out === 'ready\n') child.kill(signal);
    }
    if (child.exitCode === null) await once(child, 'exit');
    assert.deepEqual([out, child.exitCode], ['ready\nended\n', 5]);
  }
  assert.equal((await rfo(['helm'], env)).status, 137);
});
