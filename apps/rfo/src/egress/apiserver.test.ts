import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { Life, retry, silentLog } from '@rfo/foundation';
import { type Condition, type KubeClient, type KubeObject, startTestCluster, waitForObject } from '@rfo/kube';
import { serverConfigOf } from '@rfo/schema';
import { allowsTarget } from '../agent/tunnel-rules.ts';
import type { Paths } from '../paths.ts';
import { followNodes } from '../server/cluster-nodes.ts';
import { renderEgressConfig } from './egress-config.ts';
import { nodeAddress, startTestServer } from './nodes.testing.ts';
import type { TunnelRegistry } from './registry.ts';
import { startEgress } from './start-egress.ts';

it('carries what a real API server has to say to kubelets and aggregated APIs', { timeout: 180_000 }, async (t) => {
  let egress: TunnelRegistry | undefined;
  const server = await startTestServer(t, { register: (node, tunnel) => egress?.register(node, tunnel) });
  const { paths } = server;
  const { client } = await startApiServer(t, paths);
  const inputs = { config: serverConfigOf({ 'egress-selector-mode': 'agent' }), paths, nodeName: 'server-1' };
  const start = async (): Promise<Life> => {
    const life = new Life();
    t.after(() => life.end());
    egress = await startEgress({ inputs, nodes: followNodes({ client, life, log: silentLog }), life, log: silentLog });
    return life;
  };
  const get = (path: string) => client.raw({ method: 'GET', path, signal: t.signal });
  let life = await start();

  const kubelet = await listenHttps(t, paths, ({ socket }, response) => {
    const caller = socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : 'nobody';
    response.end(`hello ${caller}`);
  });
  await client.create(nodeWithKubelet('agent-1', kubelet));
  const allow = { mode: 'agent', nodeIps: [nodeAddress], kubeletPort: kubelet, clusterCidr: '10.42.0.0/16', podCidrs: [] } as const;
  const node = await server.keep('agent-1', (target) => allowsTarget(target, allow));
  const viaKubelet = '/api/v1/nodes/agent-1/proxy/hello';

  await t.test('a kubelet that accepts connections on its loopback alone answers, and sees the API server', async () => {
    assert.deepEqual(await get(viaKubelet), { status: 200, text: 'hello system:apiserver' });
  });

  const aggregated = await listenHttps(t, paths, (_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(resourceList));
  });
  for (const object of aggregatedApi(aggregated)) await client.create(object);
  const available = (): Promise<KubeObject> =>
    waitForObject<KubeObject & { readonly status?: { readonly conditions?: readonly Condition[] } }>(
      client,
      { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', name: `v1.${group}` },
      {
        accept: ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') === true,
        signal: t.signal,
      },
    );

  await t.test('an aggregated API is available', async () => {
    await available();
    assert.equal((await get(`/apis/${group}/v1`)).status, 200);
  });

  await t.test('while rfo is away all that needs no connection into the cluster goes on', async () => {
    await life.end();
    assert.equal((await get('/api/v1/namespaces')).status, 200);
    assert.equal((await get('/readyz')).status, 200);
    assert.match((await get(viaKubelet)).text, /egress\.sock/);
    assert.equal((await get(`/apis/${group}/v1/things`)).status, 503);
  });

  await t.test('and when it is back the rest goes on too, without anybody doing anything to the API server', async () => {
    life = await start();
    await available();
    const settled = { initial: 50, max: 500, signal: t.signal };
    const works = async (path: string): Promise<void> => assert.equal((await get(path)).status, 200);
    await retry(() => works(viaKubelet), settled);
    await retry(() => works(`/apis/${group}/v1/things`), settled);
  });

  await t.test('users read why a kubelet cannot be reached', async () => {
    await node.end();
    const { status, text } = await get(viaKubelet);
    assert.equal(status, 503);
    assert.match(
      text,
      new RegExp(
        `no tunnel from node agent-1, and dialling ${nodeAddress}:${kubelet} directly failed: connect ECONNREFUSED.*Check that rfo runs on agent-1`,
      ),
    );
  });
});

async function startApiServer(t: TestContext, paths: Paths): Promise<{ client: KubeClient }> {
  await mkdir(dirname(paths.server.egressConfig), { recursive: true });
  await writeFile(paths.server.egressConfig, renderEgressConfig(paths));
  const tls = (file: string): string => join(paths.server.tls, file);
  const cluster = await startTestCluster({
    apiServerArguments: [
      `--egress-selector-config-file=${paths.server.egressConfig}`,
      '--kubelet-preferred-address-types=InternalIP',
      `--kubelet-certificate-authority=${tls('server-ca.crt')}`,
      `--kubelet-client-certificate=${tls('client-kube-apiserver.crt')}`,
      `--kubelet-client-key=${tls('client-kube-apiserver.key')}`,
    ],
  });
  t.after(() => cluster.stop());
  return cluster;
}

async function listenHttps(t: TestContext, { server: { tls } }: Paths, answer: RequestListener): Promise<number> {
  const [cert, key, ca] = await Promise.all(
    ['serving-kubelet.crt', 'serving-kubelet.key', 'client-ca.crt'].map((file) => readFile(join(tls, file))),
  );
  const server = createServer({ ...{ cert, key, ca }, requestCert: true, rejectUnauthorized: false }, answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function nodeWithKubelet(name: string, port: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { addresses: [{ type: 'InternalIP', address: nodeAddress }], daemonEndpoints: { kubeletEndpoint: { Port: port } } },
  };
}

const group = 'things.example.com';
const resourceList = {
  apiVersion: 'v1',
  kind: 'APIResourceList',
  groupVersion: `${group}/v1`,
  resources: [{ name: 'things', singularName: 'thing', namespaced: false, kind: 'Thing', verbs: ['get', 'list'] }],
};

/** Endpoints may not be on loopback, so the Service leads there by name. */
function aggregatedApi(port: number): readonly KubeObject[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'things', namespace: 'default' },
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ port }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${group}` },
      spec: {
        ...{ group, version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, insecureSkipTLSVerify: true },
        service: { name: 'things', namespace: 'default', port },
      },
    },
  ];
}
