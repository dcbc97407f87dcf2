/** How an agent becomes, or stays, a node of its cluster: from what it remembers when no server answers, else from the servers. */
import { existsSync } from 'node:fs';
import { type Clock, fail, type Log, RfoError } from '@rfo/foundation';
import type { AgentConfig, ClusterSettings } from '@rfo/schema';
import { clockWarning, requireFittingVersion } from '../join/compare.ts';
import { readJoinConfig, readKnownAuthority, readKnownServers, writeJoinConfig, writeKnownServers } from '../join/join-state.ts';
import { ensureNodeCertificates, keptNodeCertificates, type NodeCertificates, nodeClientCertificate } from '../join/node-certificates.ts';
import { pinAuthority, pinServer } from '../join/pin-authority.ts';
import { parseServerAddress, renderServerAddress, type ServerAddress } from '../join/server-address.ts';
import { createSupervisorClient, type SupervisorClient, type SupervisorClientOptions } from '../join/supervisor-client.ts';
import { untilTokenChanges, waitForToken } from '../join/token-source.ts';
import { waitForServers } from '../join/wait-for-servers.ts';
import type { Paths } from '../paths.ts';
import { serverPorts } from '../server/inputs.ts';
import type { ParsedToken } from '../tokens/token-format.ts';

export type AgentJoin = {
  readonly config: Pick<AgentConfig, 'server' | 'token' | 'token-file' | 'certificate-renewal-ratio'>;
  readonly paths: Paths;
  readonly nodeName: string;
  /** All addresses that its kubelet may be called by. */
  readonly nodeIps: readonly string[];
  readonly nodePassword: string;
  /** Version of this node's Kubernetes. */
  readonly kubernetes: string;
  /** Ends the waiting for servers. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly clock: Clock;
};

export type Joined = {
  readonly settings: ClusterSettings;
  readonly certificates: NodeCertificates;
  /** Hosts of the servers that are known. */
  readonly servers: readonly string[];
  /** No server answered: all of it is what the node remembered. */
  readonly alone: boolean;
};

/** Milliseconds that a node which has joined before gives its servers to answer before it starts without them. */
const greetingTime = 5_000;

/**
 * A node that has joined before asks its servers for what has changed, and starts from what it remembers where none answers in time. A new one
 * waits until a server lets it in.
 * @throws join-server-missing, token-malformed, token-unreadable, join-state-unreadable, what a server's refusal of a remembered node means; the signal's reason
 */
export async function joinAsAgent(join: AgentJoin): Promise<Joined> {
  const { paths, log, clock, signal } = join;
  const known = await readKnownServers(paths);
  const remembered = await readJoinConfig(paths);
  const kept = keptNodeCertificates({ ...join, now: clock.now() });
  const configured = join.config.server.map(parseServerAddress);
  const all = [...configured, ...(known?.addresses ?? [])];
  const addresses = [...new Map(all.map((each) => [renderServerAddress(each), each])).values()];
  if (addresses.length === 0) throw fail('join-server-missing', {});

  if (known === undefined || remembered === undefined || kept === undefined) {
    return await waitForServers({
      addresses: () => addresses,
      attempt: async (address, attemptSignal) => {
        // Read for each attempt: it may be replaced because it was wrong.
        const token = await waitForToken({ config: join.config, signal: attemptSignal, log });
        using pinned = await pinServer({ address, token, known: readKnownAuthority(paths), signal: attemptSignal, log });
        return await joinThrough(address, { join, ca: pinned.ca, agent: pinned.agent, token, signal: attemptSignal });
      },
      giveUp: () => false,
      untilChange: (changeSignal) => untilTokenChanges({ config: join.config, signal: changeSignal }),
      signal,
      log,
    });
  }
  // The token matters only where its Node was deleted meanwhile: a file that is no longer there is not waited for.
  const file = join.config['token-file'];
  const token = file !== undefined && !existsSync(file) ? undefined : await waitForToken({ config: join.config, signal, log });
  const bound = AbortSignal.any([signal, AbortSignal.timeout(greetingTime)]);
  try {
    const greet = async (address: ServerAddress): Promise<{ readonly address: ServerAddress; readonly ca: string }> => ({
      address,
      ca: await pinAuthority({ address, token, known: readKnownAuthority(paths), signal: bound, log }),
    });
    // The first that answers: the others may be long dead.
    const first = await Promise.any(addresses.map(greet));
    return await joinThrough(first.address, { join, ca: first.ca, token, signal: bound });
  } catch (error) {
    signal.throwIfAborted();
    const reasons: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
    const defect = reasons.find((reason) => !(reason instanceof RfoError));
    if (defect !== undefined && !bound.aborted) throw defect;
    log.warn('starting with what this node remembers of its cluster, as no server helps', { reason: reasons.map(textOf).join(' ') });
    const hosts = [...known.addresses, ...configured].map(({ host }) => host);
    return { settings: remembered.settings, certificates: kept, servers: [...new Set(hosts)], alone: true };
  }
}

/** By what a server is asked: `agent` where there is a connection already. */
type Access = Pick<SupervisorClientOptions, 'ca' | 'agent' | 'signal'> & { readonly token: ParsedToken | undefined };

/** One whole exchange with one server; what it gives is kept for the next start. */
async function joinThrough(address: ServerAddress, given: Access & { readonly join: AgentJoin }): Promise<Joined> {
  const { join, ...access } = given;
  const { paths, log, clock, kubernetes, nodePassword } = join;
  using client = clientOf([address], { join, ...access });
  const config = await client.config();
  requireFittingVersion({ role: 'agent', version: kubernetes }, config.versions.kubernetes);
  const warning = clockWarning(renderServerAddress(address), config.clockAhead);
  if (warning !== undefined) log.warn(warning);
  const renewal = join.config['certificate-renewal-ratio'];
  const certificates = await ensureNodeCertificates({ ...join, client, nodePassword, now: clock.now(), renewal });
  const servers = config.servers.map(parseServerAddress);
  const addresses = [address, ...servers.filter(({ host }) => host !== address.host)];
  await Promise.all([writeJoinConfig(paths, config), writeKnownServers(paths, { url: address, addresses })]);
  return { settings: config.settings, certificates, servers: addresses.map(({ host }) => host), alone: false };
}

/** A client for one look at the servers that are known now. */
export async function reconnect(join: AgentJoin, servers: readonly string[], signal: AbortSignal): Promise<SupervisorClient> {
  const ca = readKnownAuthority(join.paths);
  const [first, ...others] = servers.map((host): ServerAddress => ({ host, port: serverPorts.supervisor }));
  if (ca === undefined || first === undefined) throw fail('internal', { what: 'a node that has joined knows no CA or no server' });
  // Only a Node that was deleted meanwhile needs it again; a file that is gone is not waited for.
  const { token: text, 'token-file': file } = join.config;
  const present = text !== undefined || (file !== undefined && existsSync(file));
  const token = present ? await waitForToken({ config: join.config, signal, log: join.log }) : undefined;
  return clientOf([first, ...others], { join, ca, token, signal });
}

/** Keeps the servers that were learned for the next start; the one that was joined through, if there was one, stays the one. */
export async function rememberServers(paths: Paths, hosts: readonly string[]): Promise<void> {
  const addresses = hosts.map((host): ServerAddress => ({ host, port: serverPorts.supervisor }));
  const url = (await readKnownServers(paths))?.url ?? addresses[0];
  if (url !== undefined) await writeKnownServers(paths, { url, addresses });
}

/** A client of the join API as this node is at the moment: by its certificate where it has one, else by the token. */
function clientOf(
  addresses: readonly [ServerAddress, ...ServerAddress[]],
  given: Access & { readonly join: Pick<AgentJoin, 'paths' | 'nodeName' | 'clock'> },
): SupervisorClient {
  const { join, ca, agent, token, signal } = given;
  const { paths, nodeName, clock } = join;
  return createSupervisorClient({
    ...{ addresses, ca, agent, nodeName, signal, clock },
    token: token && { credential: token.credential, role: 'agent' },
    clientCertificate: nodeClientCertificate({ paths, nodeName, now: clock.now() }),
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
