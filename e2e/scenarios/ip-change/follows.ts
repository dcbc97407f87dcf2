/** What must have followed when a node's address has changed. Each waits for it, as most is told by no event. */
import assert from 'node:assert/strict';
import { etcdMembers } from '../../harness/etcdctl.ts';
import { eventually } from '../../harness/eventually.ts';
import { bounded, dataDir, type Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

type Asked = { readonly through: Node; readonly signal: AbortSignal };

/** Milliseconds until the old address is nowhere any more: the longest way is that of a server's endpoint whose lease has to run out. */
const within = 180_000;

/** Waits until the running rfo has said that the address is the host's now, and after that that the node is ready. */
export async function untilStartedAnew(node: Node, signal: AbortSignal): Promise<void> {
  const { name, ip } = node.host;
  const search = async (): Promise<void> => {
    let anew = false;
    for await (const line of node.service().lines(signal)) {
      if (line.includes(`to ${ip}: everything that depends on it is started anew`)) anew = true;
      else if (anew && /: the node is ready$/.test(line)) return;
    }
    assert.fail(`rfo ended with exit code ${await node.service().exited}`);
  };
  await bounded(search(), { signal, what: `the new start of ${name} with ${ip}`, within: 300_000 });
}

/** The Node's address is the host's, and only it. */
export async function nodeFollows(node: Node, { through, signal }: Asked): Promise<void> {
  const { name, ip } = node.host;
  const addresses = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
  await until(`InternalIP of ${name}`, { signal, wanted: ip, look: () => through.kubectl(['get', 'node', name, '-o', addresses]) });
  const flannel = 'jsonpath={.metadata.annotations.flannel\\.alpha\\.coreos\\.com/public-ip}';
  await until(`flannel's address of ${name}`, { signal, wanted: ip, look: () => through.kubectl(['get', 'node', name, '-o', flannel]) });
}

/** etcd's members have the addresses of these servers, and no others. */
export async function etcdFollows(servers: readonly Node[], { through, signal }: Asked): Promise<void> {
  const wanted = servers.map(({ host }) => `https://${host.ip}:2380 votes`).sort();
  const look = async (): Promise<string> => {
    const members = await etcdMembers(through);
    return members
      .map(({ peerURLs, isLearner }) => `${peerURLs.join(' ')} ${isLearner ? 'learns' : 'votes'}`)
      .sort()
      .join(', ');
  };
  await until('the members of etcd', { signal, wanted: wanted.join(', '), look });
}

/** The `kubernetes` Service leads to these servers, and nowhere else. */
export async function endpointsFollow(servers: readonly Node[], { through, signal }: Asked): Promise<void> {
  const query = [
    'get',
    'endpointslices',
    '-l',
    'kubernetes.io/service-name=kubernetes',
    '-o',
    'jsonpath={.items[*].endpoints[*].addresses[*]}',
  ];
  const look = async (): Promise<string> => (await through.kubectl(query)).split(' ').sort().join(' ');
  const wanted = servers.map(({ host }) => host.ip).sort();
  await until('the endpoints of the API', { signal, wanted: wanted.join(' '), look });
}

/** Every port shows a certificate for the host's address, and the one of etcd's peers holds it. */
export async function certificatesFollow(node: Node): Promise<void> {
  const { host, role } = node;
  const tls = role === 'server' ? `${dataDir}/server/tls` : `${dataDir}/agent/tls`;
  // 000: TLS itself failed. What they answer to a stranger is another matter.
  for (const port of role === 'server' ? [6443, 9345, 10250] : [10250]) {
    const url = `https://${host.ip}:${port}/ping`;
    const curl = ['curl', '-sS', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', `${tls}/server-ca.crt`, url];
    const { stdout, stderr } = await host.exec(curl);
    assert.match(stdout, /^(200|401|403|404)$/, `${url}: ${stderr}`);
  }
  if (role !== 'server') return;
  for (const [ca, certificate] of [
    ['etcd/peer-ca', 'etcd/peer-server-client'],
    ['etcd/server-ca', 'etcd/server-client'],
  ]) {
    await host.must(['openssl', 'verify', '-CAfile', `${tls}/${ca}.crt`, '-verify_ip', host.ip, `${tls}/${certificate}.crt`]);
  }
}

/** kubectl by the new address, run on another host where there is one. */
export async function apiAnswersAt(node: Node, from: Node = node): Promise<void> {
  assert.equal(await from.kubectl(['get', '--raw=/readyz'], { through: from, at: node }), 'ok');
}

/** A pod of the node can be entered and its log read: API server, tunnel or address, kubelet's certificate. */
export async function execFollows(node: Node, { through, signal }: Asked): Promise<void> {
  const pod = (await podOn(node, through)).name;
  const look = async (): Promise<string> => (await through.kubectl(['exec', pod, '--', 'hostname'], { timeout: 20_000 })).trim();
  await until(`exec on ${node.host.name}`, { signal, wanted: pod, look });
  await through.kubectl(['logs', pod], { timeout: 20_000 });
}

/** Every pod reaches the pod of every other node, in both directions. */
export async function podsReachEachOther(nodes: readonly Node[], { through, signal }: Asked): Promise<void> {
  const pods = await Promise.all(nodes.map((node) => podOn(node, through)));
  for (const from of pods) {
    for (const to of pods) {
      if (from === to) continue;
      const look = async (): Promise<string> => {
        const answer = await through.kubectl(['exec', from.name, '--', 'timeout', '3', 'wget', '-qO-', `http://${to.ip}:8080/`], {
          timeout: 20_000,
        });
        return answer.trim();
      };
      await until(`${to.name} from ${from.name}`, { signal, wanted: to.name, look });
    }
  }
}

type Pod = { readonly name: string; readonly ip: string };

async function podOn(node: Node, through: Node): Promise<Pod> {
  const query = ['get', 'pods', '-l', 'app=everywhere', `--field-selector=spec.nodeName=${node.host.name}`];
  const [name = '', ip = ''] = (
    await through.kubectl([...query, '-o', 'jsonpath={.items[0].metadata.name} {.items[0].status.podIP}'])
  ).split(' ');
  assert.ok(name !== '' && ip !== '', `no pod of "everywhere" on ${node.host.name}`);
  return { name, ip };
}

/** Milliseconds it took. */
export async function timed(act: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
}

export const inSeconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

export type Context = Pick<ScenarioContext, 'step' | 'note' | 'life' | 'check'>;

async function until(
  what: string,
  { signal, wanted, look }: { readonly signal: AbortSignal; readonly wanted: string; readonly look: () => Promise<string> },
): Promise<void> {
  const equal = async (): Promise<true> => {
    assert.equal(await look(), wanted, what);
    return true;
  };
  await eventually(what, equal, { signal, within });
}
