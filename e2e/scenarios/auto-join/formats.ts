/** The other formats, judged by those who read them: cloud-init, Ignition, systemd. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildComponents, openReport } from '@rfo/components';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { type FullHost, must } from '../../lab/index.ts';
import { succeeds } from './authority.ts';

/** @param judge a host with cloud-init and systemd */
export async function judgeFormats({ check, lab, life }: ScenarioContext, control: Node, judge: FullHost): Promise<void> {
  await control.host.writeFile('/root/agent-token', `K10${'a'.repeat(64)}::abcdef.0123456789abcdef`, '0600');
  await control.host.writeFile('/root/kubelet-token', 'b'.repeat(64), '0600');
  const kinds = {
    agent: ['--for', 'agent', '--server', `https://${control.host.ip}:9345`, '--token-file', '/root/agent-token'],
    kubelet: [
      '--for',
      'kubelet',
      '--api-server',
      'https://192.0.2.1:6443',
      '--ca-url',
      'https://192.0.2.1:8888',
      '--token-file',
      '/root/kubelet-token',
    ],
  };
  const render = (kind: keyof typeof kinds, format: string): Promise<string> =>
    succeeds(control, ['ca', 'join-config', '--node', 'any', ...kinds[kind], '--format', format]);

  await check('cloud-init finds its schema kept', async () => {
    const judged = async (document: string): Promise<number> => {
      await judge.writeFile('/root/user-data', document);
      return (await judge.exec(['cloud-init', 'schema', '--config-file', '/root/user-data'])).code;
    };
    assert.notEqual(await judged('#cloud-config\nwrite_files: nonsense\n'), 0, 'it finds everything good');
    for (const kind of ['agent', 'kubelet'] as const) {
      assert.equal(await judged(await render(kind, 'cloud-init')), 0, kind);
      // What the installer hands on to the system that it makes.
      assert.equal(await judged(`#cloud-config\n${installed(await render(kind, 'autoinstall'))}`), 0, `${kind}, installed`);
    }
  });
  await check('Ignition finds its configuration good', async () => {
    using progress = openReport(process.stdout);
    const built = await buildComponents({ names: ['ignition'], report: progress.report, signal: life.signal });
    const file = join(lab.dir, 'config.ign');
    const judged = async (text: string): Promise<string> => {
      await writeFile(file, text);
      return await must([join(built.get('ignition') ?? '', 'ignition-validate'), file]);
    };
    await assert.rejects(judged('{"ignition":{"version":"3.3.0"},"storage":{"files":[{"path":"relative"}]}}'));
    for (const kind of ['agent', 'kubelet'] as const) assert.equal(await judged(await render(kind, 'ignition')), '', kind);
    await rm(file);
  });
  await check('systemd finds the units good', async () => {
    for (const kind of ['agent', 'kubelet'] as const) {
      const { systemd } = JSON.parse(await render(kind, 'ignition')) as {
        systemd: { units: readonly { name: string; contents: string }[] };
      };
      const paths = systemd.units.map(({ name }) => `/root/units/${name}`);
      for (const { name, contents } of systemd.units) await judge.writeFile(`/root/units/${name}`, contents);
      const { code, stdout, stderr } = await judge.exec(['systemd-analyze', 'verify', '--recursive-errors=no', ...paths]);
      assert.equal(`${code}${stdout}${stderr}`, '0', kind);
    }
  });
}

/** The part of the installer's document that is user data itself. */
function installed(document: string): string {
  const [, inner] = /^ {2}user-data:\n(.*?)^ {2}shutdown:/ms.exec(document) ?? [];
  assert.ok(inner, document);
  return inner.replaceAll(/^ {4}/gm, '');
}
