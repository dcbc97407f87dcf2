import type { Host } from '../../lab/index.ts';

/**
 * Nobody outside begins anything with this host but its fellow nodes: for the pod network, and for metrics-server, which dials kubelets from its pod.
 * @param servers those that may dial its kubelet, too. In the place of an earlier one.
 */
export async function closeNode(host: Host, fellows: readonly Host[], servers: readonly Host[] = []): Promise<void> {
  const set = (hosts: readonly Host[]): string => `{ ${hosts.map(({ ip }) => ip).join(', ')} }`;
  const rules = [
    // Declared before it is deleted, because deleting what is not there is an error.
    'table inet closed',
    'delete table inet closed',
    'table inet closed {',
    '  chain input {',
    '    type filter hook input priority -10; policy accept;',
    `    iifname "eth0" ip saddr ${set(fellows)} udp dport 8472 accept`,
    `    iifname "eth0" ip saddr ${set([...fellows, ...servers])} tcp dport 10250 accept`,
    '    iifname "eth0" ct state new drop',
    '  }',
    '}',
    '',
  ];
  await host.must(['nft', '-f', '-'], { input: rules.join('\n') });
}
