import { readFile } from 'node:fs/promises';
import { type Agent, request } from 'node:https';
import { join } from 'node:path';
import type { EtcdMember } from '@rfo/etcd';
import type { Paths } from '../paths.ts';

/** Files that members show to each other, and the CA that signed them. */
export type PeerTls = { readonly ca: string; readonly cert: string; readonly key: string };

/** What a server of the cluster shows to members. */
export function peerFiles({ server }: Paths): PeerTls {
  const file = (name: string): string => join(server.etcdTls, name);
  return { ca: file('peer-ca.crt'), cert: file('peer-server-client.crt'), key: file('peer-server-client.key') };
}

/** Tells whether a member's etcd answers the others. */
export type ProbePeer = (member: Pick<EtcdMember, 'peerUrls'>, signal: AbortSignal) => Promise<boolean>;

/**
 * Asks a member's peer port, the one that is open between servers, for its version. It answers while the member is a learner too.
 * @param options `within` in milliseconds; `agent` keeps connections between probes, where they come often
 */
export function createPeerProbe(tls: PeerTls, options: { readonly within?: number; readonly agent?: Agent } = {}): ProbePeer {
  const { within = 2_000, agent = false } = options;
  return async ({ peerUrls }, signal) => {
    const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map((file) => readFile(file)));
    const bound = AbortSignal.any([signal, AbortSignal.timeout(within)]);
    const ask = (url: string): Promise<void> => askVersion(new URL('/version', url), { ca, cert, key, agent, signal: bound });
    try {
      await Promise.any(peerUrls.map(ask));
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  };
}

/** The members of these that answer, asked all at once. */
export async function livingOf(
  members: readonly EtcdMember[],
  { probe, signal }: { readonly probe: ProbePeer; readonly signal: AbortSignal },
): Promise<ReadonlySet<string>> {
  const answers = await Promise.all(members.map((member) => probe(member, signal)));
  return new Set(members.filter((_, at) => answers[at]).map(({ id }) => id));
}

type Credentials = {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
  readonly agent: Agent | false;
  readonly signal: AbortSignal;
};

function askVersion(url: URL, { ca, cert, key, agent, signal }: Credentials): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), signal, agent }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}
