import assert from 'node:assert/strict';
import type { Node } from '../../harness/node.ts';
import type { Host } from '../../lab/index.ts';

/** What the pod network itself needs: flannel's VXLAN. */
const vxlan = 8472;
const kubelet = 10250;

/**
 * A firewall as a careful administrator writes it: nobody outside begins anything with this host, of no protocol, but for the pod network and the
 * TCP ports that are named. In the place of an earlier one.
 */
export async function closeHost(host: Host, open: readonly number[] = []): Promise<void> {
  const rules = [
    // Declared before it is deleted, because deleting what is not there is an error.
    'table inet closed',
    'delete table inet closed',
    'table inet closed {',
    '  chain input {',
    '    type filter hook input priority -10; policy accept;',
    `    iifname "eth0" udp dport ${vxlan} accept`,
    ...open.map((port) => `    iifname "eth0" tcp dport ${port} accept`),
    '    iifname "eth0" ct state new drop',
    '  }',
    '}',
    '',
  ];
  await host.must(['nft', '-f', '-'], { input: rules.join('\n') });
}

/** The kubelet answers on its own host, and from another one it cannot be reached. */
export async function assertClosed(node: Node, from: Host): Promise<void> {
  const ask = async (host: Host): Promise<string> => {
    const url = `https://${node.host.ip}:${kubelet}/healthz`;
    const { code, stdout } = await host.exec(['curl', '-sk', '-m', '2', '-o', '/dev/null', '-w', '%{http_code}', url]);
    return `exit code ${code}, status ${stdout}`;
  };
  assert.equal(await ask(node.host), 'exit code 0, status 401', `the kubelet of ${node.host.name} on its own host`);
  // 28: the time is up.
  assert.equal(await ask(from), 'exit code 28, status 000', `the kubelet of ${node.host.name} from ${from.name}`);
}
