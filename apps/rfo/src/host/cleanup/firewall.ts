/** Takes the rules of kube-proxy, kubelet, flannel and the CNI plugins out of iptables and nftables, and nobody else's. */
import { execute, findTool } from '../execute.ts';

/** Tables of nftables that are wholly ours: kube-proxy's, flannel's, the portmap and masquerade tables of the CNI plugins, RFO's own. */
const ownTables = /^(kube-proxy|flannel-ipv4|flannel-ipv6|cni_hostport|cni_plugins_masquerade|rfo-.+)$/;
const ownChain = /^(KUBE|CNI|FLANNEL)-/;

/** @returns what could not be removed, as sentences */
export async function removeFirewallRules(): Promise<string[]> {
  const [nft, ...iptables] = await Promise.all([removeNftTables(), removeIptablesRules('iptables'), removeIptablesRules('ip6tables')]);
  return [...nft, ...iptables.flat()];
}

/**
 * The input of `iptables-restore --noflush` that removes our chains and every rule that leads to them from what `iptables-save` wrote;
 * undefined when there is nothing of ours. Other rules are not touched, not even rewritten, so nothing that is added meanwhile is lost.
 */
export function renderIptablesRemoval(saved: string): string | undefined {
  const tables = saved
    .split(/^(?=\*)/m)
    .filter((part) => part.startsWith('*'))
    .map(renderTableRemoval)
    .filter((part) => part !== undefined);
  return tables.length === 0 ? undefined : tables.join('');
}

/** Our tables in what `nft list tables` wrote, each as `<family> <name>`. */
export function ownNftTables(listed: string): string[] {
  return listed
    .split('\n')
    .map((line) => /^table (\S+) (\S+)$/.exec(line.trim()))
    .filter((match) => match !== null && ownTables.test(match[2] ?? ''))
    .map((match) => `${match?.[1]} ${match?.[2]}`);
}

async function removeNftTables(): Promise<string[]> {
  if ((await findTool('nft')) === undefined) return [];
  const tables = ownNftTables((await execute('nft', ['list', 'tables'])).stdout);
  if (tables.length === 0) return [];
  const run = await execute('nft', ['-f', '-'], { input: tables.map((table) => `delete table ${table}\n`).join('') });
  return run.ok ? [] : [`nftables: ${run.stderr}`];
}

async function removeIptablesRules(family: 'iptables' | 'ip6tables'): Promise<string[]> {
  if ((await findTool(`${family}-save`)) === undefined) return [];
  const removal = renderIptablesRemoval((await execute(`${family}-save`, [])).stdout);
  if (removal === undefined) return [];
  const run = await execute(`${family}-restore`, ['--noflush', '--wait', '5'], { input: removal });
  return run.ok ? [] : [`${family}: ${run.stderr}`];
}

function renderTableRemoval(table: string): string | undefined {
  const lines = table.split('\n');
  const chains = lines.map((line) => /^:(\S+) /.exec(line)?.[1] ?? '').filter((chain) => ownChain.test(chain));
  const leading = lines.filter((line) => {
    const [, chain = ''] = /^-A (\S+) /.exec(line) ?? [];
    return chain !== '' && !ownChain.test(chain) && isOwnRule(line);
  });
  if (chains.length === 0 && leading.length === 0) return undefined;
  return [
    lines[0],
    // Declared with --noflush a chain of our own is emptied, so that none refers to another when they are deleted.
    ...chains.map((chain) => `:${chain} - [0:0]`),
    ...leading.map((rule) => rule.replace(/^-A /, '-D ')),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT\n',
  ].join('\n');
}

function isOwnRule(rule: string): boolean {
  return / -[jg] (KUBE|CNI|FLANNEL)-/.test(rule) || /--comment "?(flanneld |kubernetes )/.test(rule);
}
