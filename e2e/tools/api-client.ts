/** What the load programs of the scenarios share: one kept-alive connection pool to the API of the node they run on, as administrator. */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

export type Answer = { readonly status: number; readonly body: string };

const tls = '/var/lib/rancher/rfo/server/tls';

/** @param timeout milliseconds after which a request has failed */
export function apiClient(timeout: number): (method: string, path: string, body?: object) => Promise<Answer> {
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(`${tls}/server-ca.crt`),
    cert: readFileSync(`${tls}/client-admin.crt`),
    key: readFileSync(`${tls}/client-admin.key`),
  });
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const options = { agent, host: '127.0.0.1', port: 6443, method, path, timeout, headers: { 'content-type': 'application/json' } };
      const sent = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeout} ms`)));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
}
