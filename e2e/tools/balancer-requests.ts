/**
 * Asks the API through a node's own load balancer without pause, in the ways that clients have, and tells when each was answered:
 * `balancer-requests.ts CREDENTIALS`, until SIGTERM. Its lines are `WAY AT` in milliseconds since 1970 for each answer, `fail WAY AT TEXT` for
 * what failed. The ways:
 *
 * new     every 20 ms, on a connection of its own; /version needs nothing but the API server
 * kept    one after the other, 20 ms apart, on one connection that is used until it breaks, and waited for without end
 * write   every 100 ms, given up after a second: API server and etcd
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { apiClient } from './api-client.ts';

const pause = 20;
const pauseOfWrites = 100;

const [credentials = ''] = process.argv.slice(2);
const read = (name: string): Buffer => readFileSync(`${credentials}/${name}`);
const tls = { ca: read('server-ca.crt'), cert: read('client-admin.crt'), key: read('client-admin.key') };
const call = apiClient({ timeout: 1000, credentials });
const kept = new Agent({ keepAlive: true, maxSockets: 1, ...tls });
let lines: string[] = [];

process.once('SIGTERM', () => {
  flush();
  process.exit(0);
});
setInterval(flush, 50);
setInterval(() => void answered('new', version(new Agent(tls))), pause);
setInterval(() => void answered('write', write()), pauseOfWrites);
void askKept();

async function askKept(): Promise<void> {
  await answered('kept', version(kept));
  // The pace of the load, not a wait for something.
  setTimeout(() => void askKept(), pause);
}

async function answered(way: string, answer: Promise<number>): Promise<void> {
  try {
    const status = await answer;
    lines.push(status === 200 ? `${way} ${Date.now()}` : `fail ${way} ${Date.now()} status ${status}`);
  } catch (error) {
    lines.push(`fail ${way} ${Date.now()} ${error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)}`);
  }
}

function version(agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port: 6443, path: '/version' }, (response) => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}

async function write(): Promise<number> {
  const metadata = { name: 'balancer', namespace: 'acked' };
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { at: String(Date.now()) } };
  return (await call('PUT', '/api/v1/namespaces/acked/configmaps/balancer', object)).status;
}

function flush(): void {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  lines = [];
}
