import assert from 'node:assert/strict';
import { dataDir, type Node } from '../../harness/node.ts';
import { configMap, namespace } from '../../harness/objects.ts';
import type { Scenario } from '../../harness/scenario.ts';

const folder = `${dataDir}/server/manifests`;

export const scenario: Scenario = {
  name: 'manifests',
  about: 'files in server/manifests are applied at once, what leaves them is pruned, .skip and --disable are heeded',
  short: true,
  timeout: 600_000,
  run: async ({ addNode, step, check, note }) => {
    const node = await addNode('node', { config: { disable: ['metrics-server'] } });
    await step('the node gets ready with its packaged add-ons, without the disabled one', async () => {
      await node.start();
      await node.untilReady();
      await node.wait(['-n', 'kube-system', '--for=create', 'deployment/coredns']);
      assert.notEqual((await node.tryKubectl(['-n', 'kube-system', 'get', 'deployment', 'metrics-server'])).code, 0);
    });
    await check('a file is applied at once, in an order that works', async () => {
      const begin = performance.now();
      // The namespace comes last in the file, and still before what lies in it.
      await put(node, 'mine.yaml', [configMap('one', { a: '1' }, 'mine'), configMap('two', { a: '1' }, 'mine'), namespace('mine')]);
      await node.wait(['-n', 'mine', '--for=create', 'configmap/two'], 30_000);
      await node.wait(['-n', 'mine', '--for=create', 'configmap/one'], 30_000);
      note(`there after ${(performance.now() - begin).toFixed()} ms`);
    });
    await check('a changed file changes its objects and prunes what left it', async () => {
      await put(node, 'mine.yaml', [namespace('mine'), configMap('one', { a: '2' }, 'mine')]);
      await node.wait(['-n', 'mine', '--for=delete', 'configmap/two'], 30_000);
      await node.wait(['-n', 'mine', '--for=jsonpath={.data.a}=2', 'configmap/one'], 30_000);
    });
    await check('a kind that another file brings is applied as soon as it exists', async () => {
      const group = 'e2e.rfo.io';
      await put(node, 'a-thing.yaml', [
        { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'thing', namespace: 'default' }, spec: {} },
      ]);
      await put(node, 'b-kind.yaml', [thingKind(group)]);
      await node.wait(['--for=create', `crd/things.${group}`], 30_000);
      await node.wait(['--for=condition=Established', `crd/things.${group}`], 30_000);
      await node.wait(['--for=create', `things.${group}/thing`], 60_000);
    });
    await check('a broken file disturbs no other, and its Addon tells', async () => {
      await node.host.writeFile(`${folder}/broken.yaml`, 'kind: [', '0600');
      await put(node, 'after.yaml', [configMap('after', {})]);
      await node.wait(['--for=create', 'configmap/after'], 30_000);
      await node.wait(['-n', 'kube-system', '--for=create', 'addon/broken'], 30_000);
      const events = await node.kubectl([
        '-n',
        'kube-system',
        'get',
        'events',
        '--field-selector=involvedObject.name=broken',
        '-o',
        'name',
      ]);
      assert.notEqual(events.trim(), '', 'no event of the broken file');
      await node.host.must(['rm', `${folder}/broken.yaml`]);
    });
    await check('a deleted file takes its objects along', async () => {
      await node.host.must(['rm', `${folder}/mine.yaml`]);
      await node.wait(['--for=delete', 'namespace/mine'], 60_000);
      await node.wait(['-n', 'kube-system', '--for=delete', 'addon/mine'], 30_000);
    });
    await check('a file with .skip beside it is left alone', async () => {
      await node.host.writeFile(`${folder}/skipped.yaml.skip`, '');
      await put(node, 'skipped.yaml', [configMap('skipped', {})]);
      await put(node, 'zz-later.yaml', [configMap('later', {})]);
      // When the later one is there, the earlier one would be.
      await node.wait(['--for=create', 'configmap/later'], 30_000);
      assert.notEqual((await node.tryKubectl(['get', 'configmap', 'skipped'])).code, 0);
    });
    await check('what was deleted while the node was off is pruned at the next start, and a new --disable is heeded', async () => {
      await node.stop('SIGTERM');
      await node.host.must(['rm', `${folder}/after.yaml`]);
      await node.configure({ disable: ['metrics-server', 'coredns'] });
      await node.start();
      await node.untilReady();
      await node.wait(['--for=delete', 'configmap/after'], 60_000);
      await node.wait(['-n', 'kube-system', '--for=delete', 'deployment/coredns'], 60_000);
    });
  },
};

async function put(node: Node, name: string, objects: readonly object[]): Promise<void> {
  await node.host.writeFile(`${folder}/${name}`, objects.map((object) => JSON.stringify(object)).join('\n---\n'), '0600');
}

function thingKind(group: string): object {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
