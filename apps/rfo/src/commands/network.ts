// `rfo network …`: renders what a cluster's network needs from one declaration. Nothing is applied, and no node is asked.
import { readFile } from 'node:fs/promises';
import { text as readStream } from 'node:stream/consumers';
import { fail, systemCode, writeFileAtomic } from '@rfo/foundation';
import { type CiliumVersion, loadNetworkOptions } from '@rfo/schema';
import { stringify } from 'yaml';
import type { CommandContext, Run } from '../cli/context.ts';
import { loadFlags } from '../cli/with-config.ts';
import { readDeclaration } from '../network/read-declaration.ts';
import { renderBgp } from '../network/render-bgp.ts';
import { renderValues } from '../network/render-values.ts';

/** `rfo network bgp render`: Cilium's BGP objects and address pools as YAML. */
export const renderBgpObjects: Run = async (context) => {
  const { values: config } = loadFlags((await loadNetworkOptions()).bgpRenderConfig, context);
  if (config.file === undefined) throw fail('argument-missing', { command: 'network bgp render', what: 'a declaration: -f FILE' });
  const cilium = minorOf(config['cilium-version']);
  const declaration = await readDeclaration(await readSource(config.file), { where: nameOf(config.file), cilium });
  const objects = await renderBgp(declaration, cilium);
  if (objects.length === 0) {
    const cure = 'Add bgp or loadBalancerPools';
    throw fail('config-invalid', { key: 'the declaration', where: nameOf(config.file), problem: 'it declares nothing to render', cure });
  }
  await write(objects.map(toYaml).join('---\n'), config.output, context);
  return 0;
};

/** `rfo network cilium values`: the values of Cilium's Helm chart; flags go before the declaration. */
export const renderCiliumValues: Run = async (context) => {
  const { values: config } = loadFlags((await loadNetworkOptions()).ciliumValuesConfig, context);
  const cilium = minorOf(config['cilium-version']);
  const { file } = config;
  const where = file === undefined ? 'the command line' : nameOf(file);
  const flags = {
    name: config['cluster-name'],
    apiServer: config['api-server'],
    apiPort: config['api-port'],
    podCIDR: config['pod-cidr'],
  };
  const { cluster } = await readDeclaration(file === undefined ? '' : await readSource(file), { where, cilium, cluster: flags });
  const apiServer = cluster?.apiServer ?? missing('cluster.apiServer', 'api-server', where);
  const podCIDR = cluster?.podCIDR ?? missing('cluster.podCIDR', 'pod-cidr', where);
  const values = renderValues({
    ...{
      apiServer,
      podCIDR,
      apiPort: cluster?.apiPort ?? 6443,
      clusterName: cluster?.name ?? 'default',
      podMaskSize: cluster?.podMaskSize,
    },
    ...{ ipam: config.ipam, leaveOut: config['leave-out'] },
  });
  await write(toYaml(values), config.output, context);
  return 0;
};

/** @throws config-unreadable */
async function readSource(file: string): Promise<string> {
  try {
    return file === '-' ? await readStream(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw fail('config-unreadable', { file, problem: systemCode(error) ?? String(error) }, error);
  }
}

async function write(content: string, output: string, { stdout }: CommandContext): Promise<void> {
  if (output === '-') return void stdout.write(content);
  await writeFileAtomic(output, content, 0o644).catch((error: unknown) => {
    throw fail('output-unwritable', { file: output, problem: systemCode(error) ?? String(error) }, error);
  });
}

function missing(key: string, flag: string, where: string): never {
  throw fail('config-invalid', { key, where, problem: 'it is missing', cure: `Give it, or --${flag}` });
}

function toYaml(value: object): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}

function nameOf(file: string): string {
  return file === '-' ? 'the standard input' : file;
}

function minorOf(version: CiliumVersion): number {
  return Number(version.split('.')[1]);
}
