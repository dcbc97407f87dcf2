/** Questions that only a whole working cluster can answer. */

import { eventually } from './eventually.ts';
import type { Node } from './node.ts';
import { service, webDeployment } from './objects.ts';

let count = 0;

/**
 * A new Deployment gets its pod, and its Service leads to it: API, etcd, controller-manager, scheduler, kubelet, containerd, kube-proxy and
 * the pod network all did their part just now.
 */
export async function assertClusterWorks(node: Node, signal: AbortSignal): Promise<void> {
  const name = `probe-${++count}`;
  await node.apply(webDeployment(name, 1), service(name, { app: name }));
  await node.wait(['--for=condition=Available', `deployment/${name}`], 180_000);
  const ip = await node.kubectl(['get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}']);
  // kube-proxy tells nobody when it has followed.
  await eventually(`an answer of Service ${name}`, () => node.host.must(['curl', '-sS', '-m2', `http://${ip}/`]), {
    signal,
    within: 60_000,
  });
  await node.kubectl(['delete', 'deployment,service', name, '--wait=false']);
}

/** Name, uid, containers and restarts of the pods of an app: what must not change when pods live on. */
export async function podLives(node: Node, app: string): Promise<string> {
  const columns =
    'NAME:.metadata.name,UID:.metadata.uid,CONTAINER:.status.containerStatuses[*].containerID,RESTARTS:.status.containerStatuses[*].restartCount';
  return await node.kubectl(['get', 'pods', '-l', `app=${app}`, '--no-headers', '-o', `custom-columns=${columns}`]);
}
