/** One question that only a whole working cluster can answer. */

import type { Node } from './node.ts';
import { pod } from './objects.ts';

let count = 0;

/** A new pod gets running: API, etcd, scheduler, kubelet, containerd and the pod network all did their part. */
export async function assertClusterWorks(node: Node): Promise<void> {
  const name = `probe-${++count}`;
  // A ServiceAccount token comes from the controller-manager, when the namespace is new; a ReplicaSet would need it every time.
  await node.apply({ ...pod(name), metadata: { name, namespace: 'default' } });
  await node.wait(['--for=condition=Ready', `pod/${name}`], 180_000);
  await node.kubectl(['delete', 'pod', name, '--wait=false']);
}

/** Name, uid and restarts of the pods of an app: what must not change when pods live on. */
export async function podLives(node: Node, app: string): Promise<string> {
  const columns =
    'NAME:.metadata.name,UID:.metadata.uid,CONTAINER:.status.containerStatuses[*].containerID,RESTARTS:.status.containerStatuses[*].restartCount';
  return await node.kubectl(['get', 'pods', '-l', `app=${app}`, '--no-headers', '-o', `custom-columns=${columns}`]);
}
