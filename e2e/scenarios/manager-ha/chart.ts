/** The chart of the manager on a cluster of a scenario, by `rfo helm` as its administrator does it. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { dataDir, type Node } from '../../harness/node.ts';
import { commandFailed, repository } from '../../lab/index.ts';

export const managerNamespace = 'rfo-system';
const packed = join(repository, '.cache/charts/rfo-manager-0.1.0.tgz');

/** Milliseconds for replicas to start, on a machine that does much else. */
const within = 300_000;

export type Chart = {
  /** A command of helm with the chart; a code other than 0 throws. Gives stdout. */
  readonly helm: (...args: readonly string[]) => Promise<string>;
  readonly file: string;
  /** Waits until all replicas serve. */
  readonly install: (verb: 'install' | 'upgrade', ...sets: readonly string[]) => Promise<void>;
  /** What the Secret of the namespace says. */
  readonly secret: (name: string, key: string) => Promise<string>;
  /** `sha256:…` of the manager's own CA. */
  readonly pin: () => Promise<string>;
  /** Names of the pods that are not about to end, and of the nodes on which they are. */
  readonly pods: () => Promise<readonly string[]>;
  readonly nodes: () => Promise<string[]>;
};

export function chartOn(node: Node): Chart {
  const helm: Chart['helm'] = async (...args) => {
    const result = await node.rfo(['helm', ...args], { timeout: within });
    if (result.code !== 0) throw commandFailed(['rfo helm', ...args], result);
    return result.stdout;
  };
  const secret: Chart['secret'] = async (name, key) => {
    const template = `{{ index .data "${key}" }}`;
    const text = await node.kubectl(['-n', managerNamespace, 'get', 'secret', name, '-o', `go-template=${template}`]);
    return Buffer.from(text, 'base64').toString();
  };
  type Pod = {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName?: string };
  };
  const pods = async (): Promise<readonly Pod[]> => {
    const text = await node.kubectl(['-n', managerNamespace, 'get', 'pods', '-l', 'app.kubernetes.io/name=rfo-manager', '-o', 'json']);
    const { items } = JSON.parse(text) as { readonly items: readonly Pod[] };
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  };
  return {
    helm,
    file: packed,
    install: async (verb, ...sets) => {
      const values = sets.flatMap((set) => ['--set', set]);
      await helm(verb, 'rfo-manager', packed, '-n', managerNamespace, ...values, '--wait', `--timeout=${within / 1000}s`);
    },
    secret,
    pin: async () => {
      const { fingerprint256 } = new X509Certificate(await secret('rfo-manager-tls', 'ca.crt'));
      return `sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`;
    },
    pods: async () => (await pods()).map(({ metadata }) => metadata.name),
    nodes: async () => (await pods()).map(({ spec }) => spec.nodeName ?? 'none'),
  };
}

/** Brings an image of ours to a node before its start, as an administrator without a registry does. */
export async function bringImage(node: Node, name: 'manager' | 'cluster-agent'): Promise<void> {
  await node.host.must(['cp', join(repository, `.cache/images-programs/${name}.tar`), join(dataDir, 'agent/images/')]);
}
