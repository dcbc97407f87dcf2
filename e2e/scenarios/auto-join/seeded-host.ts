/** Hosts that are switched on with nothing on them but where their seed is. */
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { type FullHost, lastLines, repository } from '../../lab/index.ts';
import { caPorts } from './authority.ts';

/**
 * Switches a host on, whose kernel's command line says where its seed is: what PXE or a boot loader would do.
 * The image for test pods is put into it, as it would be in an image of an administrator; nothing else.
 */
export async function bootSeeded({ lab }: ScenarioContext, name: string, words: readonly string[]): Promise<FullHost> {
  const host = await lab.addFullHost({ name, commandLine: ['cloud-init=enabled', ...words] });
  await putTestImages(host);
  return host;
}

/** Where the seed of a host is. */
export const seedWord = (authority: Node, id: string): string => `ds=nocloud-net;s=http://${authority.host.ip}:${caPorts.seed}/${id}/`;

export async function putTestImages(host: FullHost): Promise<void> {
  const images = join(dataDir, 'agent/images');
  await host.must(['sh', '-ec', `mkdir -p -m 0700 ${images}; cp ${join(repository, '.cache/dist/images-test')}/*.tar ${images}/`]);
}

/** Waits until cloud-init is through, and throws with its log when it was not content. */
export async function untilCloudInit(host: FullHost): Promise<void> {
  try {
    await host.untilBooted();
    const { code, stdout } = await host.exec(['cloud-init', 'status', '--wait', '--long'], { timeout: 180_000 });
    // Without a seed it is content as well.
    if (code !== 0 || !/^status: done$/m.test(stdout) || !/DataSourceNoCloudNet/.test(stdout)) throw new Error(stdout);
  } catch (error) {
    const complaints = await host.exec(['sh', '-c', 'grep -E "WARN|ERROR|Traceback|failed" -A 12 /var/log/cloud-init.log | tail -n 80']);
    throw new Error(`cloud-init on ${host.name}: ${error instanceof Error ? error.message : String(error)}\n${complaints.stdout}`);
  }
}

/** What the host said of its join, for the message of a failure. */
export async function joinLog(host: FullHost): Promise<string> {
  const units = ['rfo-join', 'rfo-agent', 'kubelet', 'containerd', 'rfo-renew'].flatMap((unit) => ['-u', unit]);
  const { stdout, stderr } = await host.exec(['journalctl', '-q', '--no-pager', '-o', 'cat', ...units]);
  return lastLines(stdout + stderr, 40);
}

/** Waits for a Node; a failure tells what the host said. */
export async function untilNodeReady(
  { life }: ScenarioContext,
  { server, host, name }: { readonly server: Node; readonly host: FullHost; readonly name: string },
): Promise<void> {
  try {
    await eventually(`the node ${name}`, async () => ((await server.tryKubectl(['get', 'node', name])).code === 0 ? true : undefined), {
      signal: life.signal,
      within: 240_000,
    });
    await server.wait(['--for=condition=Ready', `node/${name}`], 240_000);
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${await joinLog(host)}`, { cause: error });
  }
}
