/**
 * The CNI configuration of flannel's network. flannel's own CNI plugin only turns the subnet that flanneld was given into a bridge configuration;
 * here that is done once for all pods instead of at the start of each.
 */
import { watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import { waitForFile } from '@rfo/process';
import type { TaskComponent } from '../component/component.ts';
import { type AgentInputs, proxyMode } from './inputs.ts';
import { networkOf } from './network-address.ts';

/** flanneld's `subnet.env`: `FLANNEL_SUBNET` is the node's part of the network, given as its first address with the prefix length. */
export type FlannelSubnet = { readonly network: string; readonly subnet: string; readonly mtu: number };

/** The subnet, or undefined while the file is not complete: its last line is FLANNEL_IPMASQ. */
export function parseFlannelSubnet(text: string): FlannelSubnet | undefined {
  const values = new Map(text.split('\n').map((line) => line.split('=', 2) as [string, string]));
  const [network, subnet, mtu] = ['FLANNEL_NETWORK', 'FLANNEL_SUBNET', 'FLANNEL_MTU'].map((name) => values.get(name));
  if (!values.has('FLANNEL_IPMASQ') || network === undefined || subnet === undefined) return undefined;
  return { network, subnet, mtu: Number(mtu) };
}

/** The conflist: a bridge `cni0` with addresses of the node's subnet, and host ports. flanneld does the masquerading. */
export function renderCniConfig(subnet: FlannelSubnet, inputs: Pick<AgentInputs, 'config' | 'paths' | 'host'>): string {
  const bridge = {
    type: 'bridge',
    bridge: 'cni0',
    mtu: subnet.mtu,
    isGateway: true,
    isDefaultGateway: true,
    // A node that was deleted and joins again gets another part of the network, while the bridge still has the address of the old one.
    forceAddress: true,
    ipMasq: false,
    hairpinMode: true,
    ipam: {
      type: 'host-local',
      dataDir: inputs.paths.agent.cniState,
      ranges: [[{ subnet: networkOf(subnet.subnet) }]],
      routes: [{ dst: subnet.network }],
    },
  };
  const portmap = { type: 'portmap', capabilities: { portMappings: true }, backend: proxyMode(inputs) };
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'cbr0', plugins: [bridge, portmap] }, undefined, 2)}\n`;
}

/**
 * Writes the CNI configuration as soon as flanneld knows its subnet, and again whenever that changes; with it the node becomes Ready.
 * A subnet of another network, left over from before the cluster's range was changed, is not taken.
 * @param needs components that must be ready before pods may start here
 */
export function cniConfigComponent(inputs: AgentInputs, needs: readonly string[]): TaskComponent {
  const file = inputs.paths.agent.flannelSubnet;
  return {
    kind: 'task',
    name: 'cni-config',
    needs,
    run: async ({ life, log, note }) => {
      const apply = async (text: string): Promise<void> => {
        const subnet = parseFlannelSubnet(text);
        if (subnet === undefined || !isOurs(subnet, inputs)) return;
        const written = await writeFileIfChanged(cniConfigFile(inputs), renderCniConfig(subnet, inputs), 0o600);
        if (written) log.info('pod network configured', { subnet: subnet.subnet, mtu: subnet.mtu });
      };
      note(`flannel has not written ${file}`);
      await removeForeignConfig(inputs);
      const predicate = (text: string): boolean => {
        const subnet = parseFlannelSubnet(text);
        return subnet !== undefined && isOurs(subnet, inputs);
      };
      await apply(await waitForFile(file, { signal: life.signal, predicate }));
      let running = Promise.resolve();
      const watcher = watch(dirname(file), (_, name) => {
        if (name !== null && name !== basename(file)) return;
        running = running
          .then(async () => apply((await readFileIfExists(file)) ?? ''))
          .catch((error: unknown) => log.error('pod network not configured', { error }));
      });
      life.defer(async () => {
        watcher.close();
        await running;
      });
    },
  };
}

/** The configuration of an earlier start lets pods start before flanneld has; that of another cluster network must not. */
async function removeForeignConfig(inputs: AgentInputs): Promise<void> {
  const text = await readFileIfExists(cniConfigFile(inputs));
  if (text !== undefined && !text.includes(JSON.stringify(inputs.config['cluster-cidr']))) await rm(cniConfigFile(inputs), { force: true });
}

function isOurs(subnet: FlannelSubnet, { config }: AgentInputs): boolean {
  return subnet.network === config['cluster-cidr'];
}

function cniConfigFile({ paths }: Pick<AgentInputs, 'paths'>): string {
  return join(paths.agent.cniConfDir, '10-flannel.conflist');
}
