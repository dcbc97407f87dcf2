/** How a server joins the cluster of other servers, before anything of Kubernetes runs on it. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, fail, type Log } from '@rfo/foundation';
import { clusterSettingsOf } from '@rfo/schema';
import type { MembersClient } from '../etcd-cluster/join-member.ts';
import { hasEtcdData, readJoinMark, readKnownMembers, writeKnownMembers } from '../etcd-cluster/membership.ts';
import type { AskServer } from '../etcd-cluster/returning-member.ts';
import { finishBootstrapFiles, writeBootstrapFiles } from '../join/bootstrap-files.ts';
import { clockWarning, requireFittingVersion, requireSameSettings } from '../join/compare.ts';
import { ensureNodePassword } from '../join/node-password.ts';
import { pinAuthority } from '../join/pin-authority.ts';
import { parseServerAddress, renderServerAddress, type ServerAddress } from '../join/server-address.ts';
import { createSupervisorClient, type SupervisorClient } from '../join/supervisor-client.ts';
import { waitForToken } from '../join/token-source.ts';
import { waitForServers } from '../join/wait-for-servers.ts';
import type { Paths } from '../paths.ts';
import { bootstrapFiles } from '../supervisor/bootstrap-data.ts';
import type { ParsedToken } from '../tokens/token-format.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';

export type ServerJoin = {
  readonly inputs: ServerInputs;
  /** Version of this server's Kubernetes. */
  readonly kubernetes: string;
  /** Ends the waiting for servers. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
};

/**
 * Takes what all servers of the cluster share from one of those that `server` names; does nothing where this server has joined already, or begins
 * a cluster of its own. Waits for a server that answers, and gives up at the first refusal.
 * @throws join-token-missing, settings-differ, version-skew, bootstrap-conflict, bootstrap-invalid, whatever a server refuses the join for, the signal's reason
 */
export async function takeClusterFiles(given: ServerJoin): Promise<void> {
  const { inputs, signal, log } = given;
  const { config, paths } = inputs;
  await finishBootstrapFiles(paths);
  if (config.server.length === 0) return;
  if (await hasJoined(paths)) return;
  const addresses = config.server.map(parseServerAddress);
  await waitForServers({
    addresses: () => addresses,
    attempt: async (address, attemptSignal) => {
      const token = await waitForToken({ config, signal: attemptSignal, log });
      if (token === undefined) throw fail('join-token-missing', {});
      await takeFrom(address, { given, token, signal: attemptSignal });
    },
    giveUp: () => true,
    signal,
    log,
  });
}

/** One without etcd, or that is about to have it, knows the members since it joined. What it has then must be there, for nothing else makes it. */
async function hasJoined(paths: Paths): Promise<boolean> {
  if ((await readJoinMark(paths)) !== undefined) return false;
  if (await hasEtcdData(paths)) return true;
  const shared = bootstrapFiles(paths).map((file) => join(paths.server.root, file));
  return (await readKnownMembers(paths)).length > 0 && shared.every((file) => existsSync(file));
}

async function takeFrom(
  address: ServerAddress,
  { given, token, signal }: { readonly given: ServerJoin; readonly token: ParsedToken; readonly signal: AbortSignal },
): Promise<void> {
  const { inputs, kubernetes, log, clock } = given;
  const { config, paths, nodeName } = inputs;
  const server = renderServerAddress(address);
  const ca = await pinAuthority({ address, token, known: undefined, signal, log });
  using client = createSupervisorClient({
    ...{ addresses: [address], ca, nodeName, signal, clock },
    token: { credential: token.credential, role: 'server' },
  });
  await client.ready();
  const cluster = await client.config();
  requireFittingVersion({ role: 'server', version: kubernetes }, cluster.versions.kubernetes);
  requireSameSettings(clusterSettingsOf(config), cluster.settings);
  const warning = clockWarning(server, cluster.clockAhead);
  if (warning !== undefined) log.warn(warning);
  const data = await client.bootstrap(await ensureNodePassword(paths));
  const written = await writeBootstrapFiles({ data, paths, authority: ca, server, log });
  log.info('has what the servers of the cluster share', { server, files: written.length });
  // Last: by it this server knows that it has joined.
  if (config['disable-etcd']) await writeKnownMembers(paths, await client.members());
}

/**
 * How this server, once it has its certificates, speaks with others about the members of etcd; undefined where it is told of none to join.
 * Not bound to a life: what a failed join left in the cluster is taken back when everything else has ended.
 */
export function membersClient(given: Pick<ServerJoin, 'inputs' | 'clock'>): MembersClient | undefined {
  const [first, ...others] = given.inputs.config.server.map(parseServerAddress);
  if (first === undefined) return undefined;
  const unbound = new AbortController().signal;
  let made: Promise<SupervisorClient> | undefined;
  const client = (): Promise<SupervisorClient> => {
    made ??= serverClient({ addresses: [first, ...others], ...given, signal: unbound });
    return made;
  };
  return {
    members: async () => (await client()).members(),
    addMember: async (wish) => (await client()).addMember(wish),
    removeUnstartedMember: async (name) => (await client()).removeUnstartedMember(name),
    promote: async (name) => (await client()).promote(name),
  };
}

/** Asks one server, by its address, who the members are. */
export function askServer({ inputs, clock }: Pick<ServerJoin, 'inputs' | 'clock'>): AskServer {
  return async (host, signal) => {
    using client = await serverClient({ addresses: [{ host, port: serverPorts.supervisor }], inputs, clock, signal });
    return await client.members();
  };
}

/** A client of the join API with what this server shows itself by: its supervisor's certificate. */
export async function serverClient(given: {
  readonly addresses: readonly [ServerAddress, ...ServerAddress[]];
  readonly inputs: { readonly paths: Paths; readonly nodeName: string };
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<SupervisorClient> {
  const { addresses, inputs, clock, signal } = given;
  const { paths, nodeName } = inputs;
  const read = (name: string): Promise<string> => readFile(join(paths.server.tls, name), 'utf8');
  const [ca, cert, key] = await Promise.all([read('server-ca.crt'), read('client-supervisor.crt'), read('client-supervisor.key')]);
  return createSupervisorClient({ ...{ addresses, ca, nodeName, signal, clock }, clientCertificate: { cert, key } });
}
