/** Creates ConfigMaps `write-1`, `write-2`… without end and prints `ack N` for each that the API said it has stored: those must never be lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { apiClient } from './api-client.ts';

const call = apiClient({ timeout: 5000 });

for (let number = 1; ; number++) {
  const metadata = { name: `write-${number}`, namespace: 'default', labels: { writer: 'yes' } };
  try {
    const { status, body } = await call('POST', '/api/v1/namespaces/default/configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata,
      data: { number: String(number) },
    });
    console.log(status === 201 ? `ack ${number}` : `refused ${number}: ${status} ${body.slice(0, 150)}`);
  } catch (error) {
    // Not acknowledged: it may be stored or not.
    console.log(`failed ${number}: ${error instanceof Error ? error.message : String(error)}`);
  }
  // A tenth of a second between two: the pace of the load, not a wait for something.
  await delay(100);
}
