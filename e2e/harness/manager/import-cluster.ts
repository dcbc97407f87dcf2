/** A cluster that is imported: how it gets there, and what the manager says of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { repository } from '../../lab/index.ts';
import { eventually } from '../eventually.ts';
import { dataDir, kubeconfigFile, type Node, untilLine } from '../node.ts';
import type { People } from './people.ts';

/** Where the agent lives in an imported cluster. */
export const agentNamespace = 'rfo-system';

type Which = { readonly name: string; readonly signal: AbortSignal };

/** As its administrator does it: the image is brought to the node, and the line that the manager prints is run there. */
export async function importCluster(manager: People, { node, name, signal }: Which & { readonly node: Node }): Promise<void> {
  await bringImage(node, signal);
  const line = await manager.as('admin', ['clusters', 'import', name]);
  const env = { KUBECONFIG: kubeconfigFile, PATH: `${dataDir}/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
  const { code, stderr } = await node.host.exec(['bash', '-c', line], { env, signal });
  assert.equal(code, 0, stderr);
  await untilCluster(manager, 'Active', { name, signal });
}

/** Waits until the node has it: pods whose image is missing try again after ten seconds at the earliest, and then ever later. */
async function bringImage(node: Node, signal: AbortSignal): Promise<void> {
  const archive = join(repository, '.cache/images-programs/cluster-agent.tar');
  // Not again where a scenario has brought it before.
  await node.host.must(['cp', '--update', archive, join(dataDir, 'agent/images/')]);
  const imported = /: images imported .*\bimages=\S*rfo\.io\/cluster-agent:/;
  await untilLine(node.service(), imported, { signal, within: 120_000 });
}

/** Waits until the cluster is in this phase; gives what is said of its agent. */
export async function untilCluster(
  manager: People,
  phase: string,
  { name, signal }: Which,
): Promise<{ readonly via: string; readonly message: string }> {
  const look = async (): Promise<{ readonly via: string; readonly message: string } | undefined> => {
    const text = await manager.as('admin', ['clusters', 'get', name, '-o', 'json']);
    const { status } = JSON.parse(text) as { status: { phase: string; agent?: { via?: string; message?: string } } };
    assert.equal(status.phase, phase, text);
    return { via: status.agent?.via ?? '', message: status.agent?.message ?? '' };
  };
  return await eventually(`cluster ${name} to be ${phase}`, look, { signal });
}
