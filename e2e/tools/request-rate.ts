/** Sends 50 requests a second to the API, whatever becomes of them, until SIGTERM; then prints one line of JSON (`RateReport`). */
import { apiClient } from './api-client.ts';

export type RateReport = { readonly sent: number; readonly failures: readonly string[]; readonly slowest: number };

const call = apiClient({ timeout: 10_000 });
const failures: string[] = [];
const open = new Set<Promise<void>>();
let sent = 0;
let slowest = 0;

const timer = setInterval(() => {
  const one = send(++sent).finally(() => open.delete(one));
  open.add(one);
}, 20);

process.once('SIGTERM', () => {
  clearInterval(timer);
  void Promise.all(open).then(() => {
    const report: RateReport = { sent, failures, slowest: Math.round(slowest) };
    console.log(JSON.stringify(report));
    process.exit(0);
  });
});
console.log('sending');

/** Every tenth is a write. */
async function send(count: number): Promise<void> {
  const begin = performance.now();
  try {
    const patch = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rate', namespace: 'default' }, data: { count: String(count) } };
    const path = '/api/v1/namespaces/default/configmaps/rate';
    const { status, body } = count % 10 === 0 ? await call('PUT', path, patch) : await call('GET', '/api/v1/namespaces/default/configmaps');
    if (status !== 200) failures.push(`request ${count}: ${status} ${body.slice(0, 200)}`);
  } catch (error) {
    failures.push(`request ${count}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    slowest = Math.max(slowest, performance.now() - begin);
  }
}
