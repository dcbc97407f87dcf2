// `rfo ca revoke`: revokes a certificate, or all that a node has and its place in the cluster.
import { existsSync } from 'node:fs';
import { fail, systemClock } from '@rfo/foundation';
import { createKubeClient, type KubeClient, loadKubeconfig } from '@rfo/kube';
import { certificateInfo } from '@rfo/pki';
import { loadCaOptions } from '@rfo/schema';
import { readSpec } from '../../ca/keys/read-key.ts';
import { revokeNode } from '../../ca/nodes/revoke-node.ts';
import type { CommandContext, Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { pathsOf } from '../../paths.ts';
import { controlPlaneKubeconfig } from '../../server/kubeconfigs.ts';
import { localUser, openCa } from './open.ts';
import { reasonNumber } from './reasons.ts';
import { decimalSerial, plainKeyId } from './serials.ts';

/** A running `rfo ca serve` tells it by OCSP and CRL at once. */
export const revokeCertificates: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caRevokeConfig, context);
  const { env, stdout, stderr, life } = context;
  const { serial, node, aki } = config;
  if ((serial === undefined) === (node === undefined))
    throw fail('argument-missing', { command: 'ca revoke', what: 'either --serial or --node' });
  const { paths, store, tokens, audit } = await openCa('ca revoke', config, context);
  const reason = reasonNumber(config.reason);
  if (serial !== undefined) {
    const key = { serial: decimalSerial(serial), authorityKeyId: aki === undefined ? await presentKeyId(paths.ca, env) : plainKeyId(aki) };
    const entry = { act: 'revoke', user: localUser(), ...key, reason: config.reason, result: 'done' } as const;
    await store.revoke(key, { reason, at: systemClock.now() }, audit.within(entry));
    stdout.write(`certificate ${key.serial} revoked\n`);
    return 0;
  }
  const cluster = config['keep-node'] ? undefined : await clusterOf(config.kubeconfig, context);
  const who = { user: localUser() };
  const done = await revokeNode(node ?? '', { store, tokens, audit, clock: systemClock, who, reason, cluster, signal: life.signal });
  for (const one of done.certificates) stdout.write(`certificate ${one} revoked\n`);
  for (const one of done.tokens) stdout.write(`token ${one} deleted\n`);
  if (done.nodeDeleted === true) stdout.write(`node ${node} removed from the cluster, which refuses its certificates from now on\n`);
  if (done.nodeDeleted === false) stdout.write(`the cluster refuses the certificates of ${node} from now on; it had no such node\n`);
  if (done.nodeDeleted === undefined)
    stderr.write(`rfo: the cluster was not told: it lets ${node} in until its certificates have ended.\n`);
  for (const one of done.sharedTokens)
    stderr.write(`rfo: token ${one} is for ${node} and others: its host could join with it under another name.\n`);
  return 0;
};

/** Reads no private key: revoking does not need one. */
async function presentKeyId(file: string, env: CommandContext['env']): Promise<string> {
  return certificateInfo(await readSpec(file, env), file).subjectKeyId?.toString('hex') ?? '';
}

/**
 * The cluster of `--kubeconfig`, else that of the server on this host.
 * @throws ca-cluster-unnamed where neither is
 */
async function clusterOf(named: string | undefined, { life }: CommandContext): Promise<KubeClient> {
  const file = named ?? controlPlaneKubeconfig(pathsOf(nodeFolders), 'admin');
  if (named === undefined && !existsSync(file)) throw fail('ca-cluster-unnamed', {});
  const client = createKubeClient(await loadKubeconfig(file));
  life.defer(() => client.close());
  return client;
}

/** Where a server is that runs on this host with its default folders. */
const nodeFolders = { 'data-dir': '/var/lib/rancher/rfo', 'run-dir': '/run/rfo' };
