/** Finds out whether the API servers of a cluster really ask for tokens: an administrator of theirs has to set them up for it, and the manager cannot see their flags. */
import { randomBytes } from 'node:crypto';
import { request } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { toRfoError } from '@rfo/foundation';
import type { DirectUser } from '@rfo/kube';
import type { Connections } from '../clusters/connections.ts';
import { formatCredential, hashSecret } from '../identity/token-format.ts';

export type Probe = {
  /** Nobody who may do anything, to be told to the cluster beside the others. @param now milliseconds since 1970 */
  readonly user: (now: number) => DirectUser;
  /** Whether an API server of the cluster knows that user by its token, and what else it says. Throws the signal's reason alone. */
  readonly ask: (cluster: string, signal: AbortSignal) => Promise<{ readonly ready: boolean; readonly message: string }>;
};

const user = 'rfo:endpoint-probe';
/** Milliseconds that its token is good for; each hour it is told anew. */
const [good, step] = [2 * 3_600_000, 3_600_000];
const mostBytes = 65_536;
const within = 10_000;

/** The token is known to this replica alone, and gone with it. */
export function createProbe({ connect }: Pick<Connections, 'connect'>): Probe {
  const credential = { id: 'endpoint-probe', secret: randomBytes(32).toString('hex') };
  const known = { id: credential.id, hash: hashSecret(credential.secret), groups: ['system:authenticated'], extra: {} };
  return {
    user: (now) => ({ user, tokens: [{ ...known, expiresAt: Math.floor(now / step) * step + good }] }),
    ask: async (cluster, ended) => {
      const signal = AbortSignal.any([ended, AbortSignal.timeout(within)]);
      try {
        const { status, text } = await whoAmI({ connect, cluster, token: formatCredential(credential), signal });
        if (status === 201 && text.includes(`"username":"${user}"`))
          return { ready: true, message: 'its API server knows tokens of the manager' };
        const cure = 'set it up for that: authorized-endpoint on RFO, else --authentication-token-webhook-config-file';
        return { ready: false, message: `its API server does not know tokens of the manager (${status}): ${cure}` };
      } catch (error) {
        ended.throwIfAborted();
        return { ready: false, message: toRfoError(error).message };
      }
    },
  };
}

type Question = Pick<Connections, 'connect'> & { readonly cluster: string; readonly token: string; readonly signal: AbortSignal };

/** A SelfSubjectReview (authentication.k8s.io/v1), by a connection of its own: the shared one acts as the agent. */
async function whoAmI({ connect, cluster, token, signal }: Question): Promise<{ readonly status: number; readonly text: string }> {
  const { stream, tls } = await connect(cluster, { signal });
  const { cert: _, key: __, ...server } = tls;
  const socket = connectTls({ ...server, socket: stream, ALPNProtocols: ['http/1.1'] });
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
  const headers = { 'authorization': `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  try {
    return await new Promise((resolve, reject) => {
      const sent = request({ method: 'POST', path, headers, signal, createConnection: () => socket }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > mostBytes) response.destroy(new Error(`the answer of the API server is longer than ${mostBytes} bytes`));
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.once('error', reject);
      });
      sent.once('error', reject);
      sent.end(body);
    });
  } finally {
    socket.destroy();
    stream.destroy();
  }
}
