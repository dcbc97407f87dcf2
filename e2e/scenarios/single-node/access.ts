import assert from 'node:assert/strict';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

/** Nobody gets anything without a certificate or token. */
export async function checkAccess({ check }: ScenarioContext, { host }: Node): Promise<void> {
  const status = async (url: string): Promise<string> =>
    (await host.exec(['curl', '-sk', '-m10', '-o', '/dev/null', '-w', '%{http_code}', url])).stdout;

  await check('the API refuses the anonymous', async () => {
    for (const path of ['/api', '/api/v1/namespaces', '/version', '/readyz', '/openapi/v2']) {
      assert.match(await status(`https://127.0.0.1:6443${path}`), /^40[13]$/, path);
    }
  });
  await check('the kubelet refuses the anonymous, and has no open port', async () => {
    for (const path of ['/pods', '/metrics', '/exec/demo/client/sleep'])
      assert.match(await status(`https://${host.ip}:10250${path}`), /^40[13]$/, path);
    assert.equal(await status('http://127.0.0.1:10255/pods'), '000');
  });
  await check('etcd, controller-manager and scheduler refuse the anonymous', async () => {
    for (const port of [2379, 2380, 2382]) assert.equal(await status(`https://127.0.0.1:${port}/version`), '000', String(port));
    for (const port of [10257, 10259]) assert.match(await status(`https://127.0.0.1:${port}/metrics`), /^40[13]$/, String(port));
  });
}
