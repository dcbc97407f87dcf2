/**
 * Which resolv.conf pods are given (those with `dnsPolicy: Default`, CoreDNS among them).
 *
 * 1. The one that `resolv-conf` names, as it is.
 * 2. /etc/resolv.conf when it names a server that a pod can reach: one that is neither loopback nor link-local.
 * 3. /run/systemd/resolve/resolv.conf, the real servers behind systemd-resolved's loopback stub.
 * 4. A generated file with the node's own address as the server. It answers where the host's resolver listens on all addresses (dnsmasq, bind and
 *    unbound commonly do), and refuses at once elsewhere: names of the cluster work, others fail quickly, and nobody is asked whom the
 *    administrator has not chosen. (RKE2 and K3s ask 8.8.8.8 here, which is a silent wait on a host without the Internet.)
 */
import { readFile } from 'node:fs/promises';
import { fail, type Log, readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import type { Paths } from '../paths.ts';

export type ResolvConf = {
  readonly nameservers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
};
export type ResolvConfChoice =
  | { readonly use: 'system' }
  | { readonly use: 'resolved' }
  | { readonly use: 'generated'; readonly text: string };

const systemFile = '/etc/resolv.conf';
const resolvedFile = '/run/systemd/resolve/resolv.conf';

/**
 * @returns the path for kubelet's `resolvConf`
 * @throws resolv-conf-missing when the configured file cannot be read
 */
export async function prepareResolvConf(input: {
  paths: Paths;
  nodeIp: string;
  resolvConf: string | undefined;
  log: Log;
}): Promise<string> {
  const { paths, nodeIp, resolvConf, log } = input;
  if (resolvConf !== undefined) {
    await readFile(resolvConf).catch((error: unknown) => {
      throw fail('resolv-conf-missing', { file: resolvConf, problem: error instanceof Error ? error.message : String(error) }, error);
    });
    return resolvConf;
  }
  const [system, resolved] = await Promise.all([readFileIfExists(systemFile), readFileIfExists(resolvedFile)]);
  const choice = chooseResolvConf({ system, resolved, nodeIp });
  if (choice.use === 'system') return systemFile;
  if (choice.use === 'resolved') return resolvedFile;
  await writeFileIfChanged(paths.agent.resolvConf, choice.text, 0o644);
  log.warn(
    `${systemFile} names no server that pods can reach: names outside the cluster are asked of ${nodeIp}. Another server can be given with resolv-conf`,
  );
  return paths.agent.resolvConf;
}

/** The rule above, from the texts of the two files. */
export function chooseResolvConf(input: { system: string | undefined; resolved: string | undefined; nodeIp: string }): ResolvConfChoice {
  const system = parseResolvConf(input.system ?? '');
  if (system.nameservers.some(reachableByPods)) return { use: 'system' };
  if (parseResolvConf(input.resolved ?? '').nameservers.some(reachableByPods)) return { use: 'resolved' };
  const line = (key: string, values: readonly string[]): string[] => (values.length === 0 ? [] : [`${key} ${values.join(' ')}`]);
  return {
    use: 'generated',
    text: [
      '# Made by rfo: /etc/resolv.conf names no server that pods can reach.',
      `nameserver ${input.nodeIp}`,
      ...line('search', system.search),
      ...line('options', system.options),
      '',
    ].join('\n'),
  };
}

/** Reads a resolver configuration (resolv.conf(5)): all servers, the last search list, all options. */
export function parseResolvConf(text: string): ResolvConf {
  const entries = text
    .split('\n')
    .map((line) =>
      line
        .replace(/[#;].*/, '')
        .trim()
        .split(/\s+/),
    )
    .map(([key = '', ...values]) => ({ key, values }));
  return {
    nameservers: entries.filter(({ key }) => key === 'nameserver').flatMap(({ values }) => values.slice(0, 1)),
    search: entries.findLast(({ key }) => key === 'search' || key === 'domain')?.values ?? [],
    options: entries.filter(({ key }) => key === 'options').flatMap(({ values }) => values),
  };
}

/** A pod has its own loopback, and link-local addresses (169.254/16, fe80::/10) mean nothing on its link. */
function reachableByPods(server: string): boolean {
  return !/^(127\.|0\.0\.0\.0$|169\.254\.|::1$|::$|fe[89ab][0-9a-f]:)/i.test(server);
}
