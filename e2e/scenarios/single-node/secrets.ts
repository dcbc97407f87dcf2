import assert from 'node:assert/strict';
import { etcdctl } from '../../harness/etcdctl.ts';
import { dataDir, type Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

const word = 'hummingbird';

/** A Secret is readable through the API, encrypted on disk, and in no log. */
export async function checkSecrets({ check }: ScenarioContext, node: Node): Promise<void> {
  await check('a Secret comes back through the API', async () => {
    await node.kubectl(['-n', 'demo', 'create', 'secret', 'generic', 'hidden', `--from-literal=word=${word}`]);
    const value = await node.kubectl(['-n', 'demo', 'get', 'secret', 'hidden', '-o', 'jsonpath={.data.word}']);
    assert.equal(Buffer.from(value, 'base64').toString(), word);
  });
  await check('it is encrypted in etcd', async () => {
    const stored = await etcdctl(node, ['get', '--print-value-only', '/registry/secrets/demo/hidden']);
    assert.match(stored, /^k8s:enc:(aescbc|secretbox):v1:/);
    assert.ok(!stored.includes(word));
    assert.ok(!stored.includes(Buffer.from(word).toString('base64')));
  });
  await check('the audit log tells who made it, but not what it holds', async () => {
    const lines = (await node.host.readFile(`${dataDir}/server/logs/audit.log`)).trim().split('\n');
    const made = lines.filter((line) => line.includes('"secrets"') && line.includes('"hidden"') && line.includes('"verb":"create"'));
    assert.equal(made.length, 1, `${made.length} of ${lines.length} lines tell of it`);
    assert.match(made[0] ?? '', /"username":"system:admin"/);
    assert.ok(!lines.some((line) => line.includes(word) || line.includes(Buffer.from(word).toString('base64'))));
  });
  await check('keys and kubeconfigs are for root alone', async () => {
    const open = `find ${dataDir}/server /etc/rancher -type f \\( -name "*.key" -o -name "*.kubeconfig" -o -name rfo.yaml -o -name "*token" -o -path "*/cred/*" \\) -perm /077`;
    assert.equal(await node.host.must(['sh', '-c', open]), '');
    const found = await node.host.must(['sh', '-c', `find ${dataDir}/server/tls -name "*.key" | wc -l`]);
    assert.ok(Number(found) > 10, `only ${found} keys`);
  });
}
