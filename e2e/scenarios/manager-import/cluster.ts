/** A cluster that is imported: how it gets there, and what the manager says of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Life } from '@rfo/foundation';
import { eventually } from '../../harness/eventually.ts';
import { dataDir, kubeconfigFile, type Node } from '../../harness/node.ts';
import { repository } from '../../lab/index.ts';
import type { Manager } from './manager.ts';

export const agentNamespace = 'rfo-system';

export type Imported = { readonly hub: Node; readonly edge: Node };

/** As its administrator does it: the image is brought to the node, and the line that the manager prints is run there. */
export async function importCluster(manager: Manager, { hub, edge, life }: Imported & { readonly life: Life }): Promise<Imported> {
  const images = join(dataDir, 'agent/images');
  await edge.host.must(['cp', join(repository, '.cache/images-programs/cluster-agent.tar'), `${images}/`]);
  const line = await manager.as('admin', ['clusters', 'import', 'edge']);
  const env = { KUBECONFIG: kubeconfigFile, PATH: `${dataDir}/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
  const { code, stderr } = await edge.host.exec(['bash', '-c', line], { env, signal: life.signal });
  assert.equal(code, 0, stderr);
  await untilCluster(manager, 'Active', life.signal);
  return { hub, edge };
}

/** Waits until the cluster is in this phase; gives what is said of its agent. */
export async function untilCluster(
  manager: Manager,
  phase: string,
  signal: AbortSignal,
): Promise<{ readonly via: string; readonly message: string }> {
  const look = async (): Promise<{ readonly via: string; readonly message: string } | undefined> => {
    const text = await manager.as('admin', ['clusters', 'get', 'edge', '-o', 'json']);
    const { status } = JSON.parse(text) as { status: { phase: string; agent?: { via?: string; message?: string } } };
    assert.equal(status.phase, phase, text);
    return { via: status.agent?.via ?? '', message: status.agent?.message ?? '' };
  };
  return await eventually(`cluster edge to be ${phase}`, look, { signal });
}
