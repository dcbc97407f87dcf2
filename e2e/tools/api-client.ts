/** What the load programs of the scenarios share: one kept-alive connection pool to one API server, as administrator. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export type Answer = { readonly status: number; readonly body: string };
export type ApiClient = (method: string, path: string, body?: object) => Promise<Answer>;
export type ApiClientOptions = {
  /** Milliseconds after which a request without an answer has failed. */
  readonly timeout: number;
  /** Address of the API server; the node that the program runs on by default. */
  readonly host?: string;
  /** Folder of server-ca.crt, client-admin.crt and client-admin.key. */
  readonly credentials?: string;
};

export function apiClient(options: ApiClientOptions): ApiClient {
  const { timeout, host = '127.0.0.1', credentials = '/var/lib/rancher/rfo/server/tls' } = options;
  const agent = new Agent({
    keepAlive: true,
    // More would only be handshakes when a server stands still.
    maxSockets: 32,
    ca: readFileSync(`${credentials}/server-ca.crt`),
    cert: readFileSync(`${credentials}/client-admin.crt`),
    key: readFileSync(`${credentials}/client-admin.key`),
  });
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      // For all of it: also while it waits for a connection.
      const signal = AbortSignal.timeout(timeout);
      const failed = (error: Error): void => reject(signal.aborted ? new Error(`no answer within ${timeout} ms`) : error);
      const sent = request(
        { agent, host, port: 6443, method, path, signal, headers: { 'content-type': 'application/json' } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', failed);
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
        },
      );
      sent.on('error', failed);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
}
