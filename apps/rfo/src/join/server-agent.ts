/** Connections to servers: made only to those that the cluster's CA signed, and handed out only after that was verified. */
import { Agent, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect, type DetailedPeerCertificate, type PeerCertificate, type TLSSocket } from 'node:tls';
import { fail, RfoError } from '@rfo/foundation';
import { decodeCertificate, nameValue } from '@rfo/pki';
import { renderServerAddress } from './server-address.ts';

export type ClientCertificate = { readonly cert: string; readonly key: string };

/** Milliseconds until a host has to take a connection: two lost SYNs are forgiven, a host that is gone is given up soon. */
const connectTimeout = 3_000;
/** Milliseconds until TLS has to stand. */
const handshakeTimeout = 10_000;

/**
 * node:https gives a request its socket before the server has shown a certificate, and trusts OpenSSL to hold back what is written until then.
 * Here a request, and with it a token, gets its socket once the certificate was verified; so one without a socket was surely not sent.
 */
export class ServerAgent extends Agent {
  readonly #tls: ({ readonly ca: string } & Partial<ClientCertificate>) | undefined;
  readonly #connecting = new Set<TLSSocket>();

  /** @param trust PEM of the CA and who we are; `anybody` for a first look at a server that may be an impostor */
  constructor(trust: { readonly ca: string; readonly clientCertificate?: ClientCertificate | undefined } | 'anybody') {
    // One connection: a second one would take longer to stand than the requests wait for each other, and cost the server more than all of them.
    super({ keepAlive: true, maxSockets: 1 });
    this.#tls = trust === 'anybody' ? undefined : { ca: trust.ca, ...trust.clientCertificate };
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const { host, port } = options;
    const name = String(host);
    const socket = connect({
      host: name,
      port: Number(port),
      ...(!/^[\d.]+$|:/.test(name) && { servername: name }),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      ...(this.#tls === undefined
        ? { rejectUnauthorized: false }
        : {
            ...this.#tls,
            checkServerIdentity: (_host, peer) => checkServer(renderServerAddress({ host: name, port: Number(port) }), peer),
          }),
    });
    this.#connecting.add(socket);
    const stop = (problem: string): void => void socket.destroy(new Error(problem));
    let timer = setTimeout(stop, connectTimeout, `nothing answers within ${connectTimeout / 1000} s`);
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      this.#connecting.delete(socket);
      socket.off('error', settle);
      callback?.(error, socket);
    };
    socket.once('error', settle);
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(stop, handshakeTimeout, `TLS does not stand within ${handshakeTimeout / 1000} s`);
    });
    socket.once('secureConnect', () => settle(null));
  }

  override destroy(): void {
    for (const socket of this.#connecting) socket.destroy(new Error('closed'));
    super.destroy();
  }
}

/**
 * Whether a certificate that the cluster's CA signed is that of an API server. The host name is not looked at: the CA is this cluster's alone
 * and signs for no one else, so that joining through a virtual IP or a load balancer works which no server knows of. But the CA signs the
 * serving certificates of kubelets too, and those must not pass for servers: the common name alone could be that of a node, and so could the
 * name of the Service, but no node's certificate holds the two.
 */
function checkServer(server: string, peer: PeerCertificate | DetailedPeerCertificate): RfoError | undefined {
  try {
    const { subject, altNames } = decodeCertificate(peer.raw, `the certificate of ${server}`);
    const commonName = nameValue(subject, 'CN');
    const forService = altNames.some(({ type, value }) => type === 'dns' && value === 'kubernetes.default.svc');
    if (commonName === 'kube-apiserver' && forService) return undefined;
    return fail('server-untrusted', { server, problem: `its certificate is that of ${commonName ?? 'nobody'}, not of an API server` });
  } catch (error) {
    if (error instanceof RfoError) return error;
    throw error;
  }
}
