/** Finds out which CA the cluster has before anything is sent to it that others must not see. */
import { hash as digest } from 'node:crypto';
import { fail, type Log, toRfoError } from '@rfo/foundation';
import { certificateInfo, certificateInfos, encodePem } from '@rfo/pki';
import { joinPaths } from '../supervisor/api.ts';
import { caHash, type ParsedToken } from '../tokens/token-format.ts';
import { exchange, type Outcome } from './exchange.ts';
import { renderServerAddress, type ServerAddress } from './server-address.ts';
import { ServerAgent } from './server-agent.ts';

export type PinOptions = {
  readonly address: ServerAddress;
  /** Only its hash of the CA is looked at. A node that has joined before may have none. */
  readonly token: ParsedToken | undefined;
  /** PEM of the CA that this node has on its disk, where it has joined before: nothing else is accepted then. */
  readonly known: string | undefined;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Milliseconds for each of the two requests. */
  readonly timeout?: number;
};

/** A server that was recognised, until it is disposed of. */
export type PinnedServer = Disposable & {
  /** PEM of the CA that everything else is verified with. */
  readonly ca: string;
  /** Trusts this CA alone and has a connection to the server, for whoever has more to ask of it: another handshake costs more than the questions. */
  readonly agent: ServerAgent;
};

/** The same as `pinServer`, for who has nothing else to ask: the server is verified when this resolves. */
export async function pinAuthority(options: PinOptions): Promise<string> {
  using pinned = await recognise(options, 'verified');
  return pinned.ca;
}

/**
 * Finds the CA byte by byte as `/cacerts` serves it: the one that is known already, or the one whose hash the token names. A short token names
 * none: the CA is then taken as it is shown, with a warning. Sends nothing but requests for `/cacerts` without any credential, a second and
 * verified one where the first does not settle it. The server itself is verified by the first request that goes through `agent` at the latest.
 * @throws authority-mismatch, cluster-differs, join-token-missing, server-unreachable, server-untrusted, server-certificate-dates,
 * server-not-ready, server-answer-invalid
 */
export function pinServer(options: PinOptions): Promise<PinnedServer> {
  return recognise(options, 'pinned');
}

/** @param until what has to be known of the server itself */
async function recognise(options: PinOptions, until: 'pinned' | 'verified'): Promise<PinnedServer> {
  const { token, known } = options;
  if (known !== undefined) return await confirmKnown(known, options);
  if (token === undefined) throw fail('join-token-missing', {});
  const server = renderServerAddress(options.address);
  const shown = await fetchShown(options);
  const found = hashOf(shown, server);
  const wanted = token.caHash;
  if (wanted !== undefined && found !== wanted) throw fail('authority-mismatch', { server, found, wanted });
  // Every byte of it is what the token says: who verifies by it needs nothing else, and one question less is asked by each node of a large cluster.
  if (until === 'pinned' && wanted !== undefined && sha256(shown) === wanted) return handOn(shown, new ServerAgent({ ca: shown }));
  // That it showed the certificate proves nothing yet; that it holds a key under it does. The hash of a bundle speaks of one root alone:
  // until the answer is verified by that one, the rest of the bundle may have been put there by anybody.
  return await fetchVerified(pinnedRoot(shown, found), options, (verified) => {
    if (hashOf(verified, server) !== found) throw fail('authority-mismatch', { server, found: hashOf(verified, server), wanted: found });
    if (wanted === undefined) {
      const form = `K10${found}::${token.credential.kind === 'id' ? '<id>.<secret>' : '<user>:<password>'}`;
      options.log.warn(
        'the token does not say which CA the cluster has: the server was believed; the full form of the token rules out an impostor',
        { server, form },
      );
    }
    return verified;
  });
}

/** A server of another cluster is told apart from one that is down: its own CA is looked at only to name it. */
async function confirmKnown(known: string, options: PinOptions): Promise<PinnedServer> {
  const { address, token } = options;
  const server = renderServerAddress(address);
  const knownHash = caHash(known);
  if (token?.caHash !== undefined && token.caHash !== knownHash) {
    throw fail('cluster-differs', { known: knownHash, other: 'the token names', found: token.caHash });
  }
  try {
    return await fetchVerified(known, options, () => known);
  } catch (error) {
    if (toRfoError(error).code !== 'server-untrusted') throw error;
    const found = await fetchShown(options)
      .then((shown) => hashOf(shown, server))
      .catch(() => {
        options.signal.throwIfAborted();
        return undefined;
      });
    // The right CA and yet not trusted: the certificate itself is wrong, which the error says.
    if (found === undefined || found === knownHash) throw error;
    throw fail('cluster-differs', { known: knownHash, other: `${server} shows the CA`, found }, error);
  }
}

async function fetchShown(options: PinOptions): Promise<string> {
  const agent = new ServerAgent('anybody');
  try {
    return await fetchWith(agent, options);
  } finally {
    agent.destroy();
  }
}

/** @param choose makes the CA that counts of what the server shows, or throws */
async function fetchVerified(root: string, options: PinOptions, choose: (verified: string) => string): Promise<PinnedServer> {
  const agent = new ServerAgent({ ca: root });
  try {
    return handOn(choose(await fetchWith(agent, options)), agent);
  } catch (error) {
    agent.destroy();
    throw error;
  }
}

function handOn(ca: string, agent: ServerAgent): PinnedServer {
  return { ca, agent, [Symbol.dispose]: () => agent.destroy() };
}

async function fetchWith(agent: ServerAgent, { address, signal, timeout = 10_000 }: PinOptions): Promise<string> {
  const server = renderServerAddress(address);
  const outcome: Outcome = await exchange({ address, agent, method: 'GET', path: joinPaths.caCerts, timeout, signal });
  if ('error' in outcome) throw outcome.error;
  const { status, body } = outcome.answer;
  const what = 'the CA of the cluster';
  if (status >= 500 || status === 429) throw fail('server-not-ready', { server, what, problem: `it answers ${status}` });
  if (status !== 200) throw fail('server-answer-invalid', { server, what, problem: `it answers ${status}` });
  return body.toString('utf8');
}

/** PEM of what the hash stands for: the text itself, or the one root of a bundle. */
function pinnedRoot(shown: string, hash: string): string {
  if (sha256(shown) === hash) return shown;
  const root = certificateInfos(shown).find(({ der }) => sha256(der) === hash);
  if (root === undefined) throw fail('internal', { what: 'the root that was hashed is not in the bundle' });
  return encodePem('CERTIFICATE', root.der);
}

function hashOf(shown: string, server: string): string {
  try {
    // A text without any certificate has a hash as well.
    certificateInfo(shown, 'the CA of the cluster');
    return caHash(shown);
  } catch (error) {
    throw fail('server-answer-invalid', { server, what: 'the CA of the cluster', problem: toRfoError(error).message }, error);
  }
}

function sha256(data: string | Uint8Array): string {
  return digest('sha256', data);
}
