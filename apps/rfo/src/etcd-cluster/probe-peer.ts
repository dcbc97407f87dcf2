import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { EtcdMember } from '@rfo/etcd';

/** Files that members show to each other, and the CA that signed them. */
export type PeerTls = { readonly ca: string; readonly cert: string; readonly key: string };

/** Tells whether a member's etcd answers the others. */
export type ProbePeer = (member: EtcdMember, signal: AbortSignal) => Promise<boolean>;

/**
 * Asks a member's peer port, the one that is open between servers, for its version. It answers while the member is a learner too.
 * @param within milliseconds
 */
export function createPeerProbe(tls: PeerTls, within = 2_000): ProbePeer {
  return async ({ peerUrls }, signal) => {
    const [ca, cert, key] = await Promise.all([tls.ca, tls.cert, tls.key].map((file) => readFile(file)));
    const bound = AbortSignal.any([signal, AbortSignal.timeout(within)]);
    const ask = (url: string): Promise<void> => askVersion(new URL('/version', url), { ca, cert, key, signal: bound });
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
  readonly signal: AbortSignal;
};

function askVersion(url: URL, { ca, cert, key, signal }: Credentials): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), signal, agent: false }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end();
  });
}
