import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Life, systemClock } from '@rfo/foundation';
import { createKubeClient, type KubeClient, startTestCluster, type TestCluster } from '@rfo/kube';
import { certificateInfo } from '@rfo/pki';
import { fingerprint, refusalList, renderAuthorizationConfig, renderNowhere } from './cluster-refusals.ts';
import { eventually } from './eventually.testing.ts';
import { startCa, type TestCa, testHost } from './nodes.testing.ts';
import { refuseCertificates } from './refuse-in-cluster.ts';
import { revokeNode } from './revoke-node.ts';

const nodeOf = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }) as const;

/** A client with a certificate of the cluster's CA, which stands for this CA: only who signed differs. */
function kubelet(cluster: TestCluster, life: Life, as: { readonly name: string; readonly file: string }) {
  const { cert, key } = cluster.issue(as.file, `/O=system:nodes/CN=system:node:${as.name}`);
  const client = createKubeClient({
    ...cluster.options,
    cert: { file: cert },
    key: { file: key },
  });
  life.defer(() => client.close());
  return { client, pem: readFileSync(cert, 'utf8') };
}

/** Puts a certificate into the database as if the CA had issued it. */
async function adopt(ca: TestCa, pem: string, commonName: string): Promise<string> {
  const { serial, notAfter, notBefore } = certificateInfo(pem);
  const decimal = BigInt(`0x${serial}`).toString();
  await ca.store.insert({
    ...{ serial: decimal, authorityKeyId: 'aa', caLabel: '', status: 'good', reason: 0, revokedAt: undefined, metadata: null, sans: [] },
    ...{ expiry: notAfter, issuedAt: notBefore, notBefore, commonName, pem },
  });
  return decimal;
}

const options = (ca: TestCa, cluster: KubeClient | undefined, life: Life) => ({
  ...{
    store: ca.store,
    tokens: ca.tokens,
    audit: ca.auditLog,
    clock: systemClock,
    who: { user: 'tester' },
    reason: 1,
    cluster,
    signal: life.signal,
  },
});

test('a revoked node loses certificates, tokens and its Node, and the API server refuses what it still holds', {
  timeout: 240_000,
}, async () => {
  await using life = new Life();
  const [ca, cluster] = await Promise.all([
    startCa(life),
    startTestCluster({ apiServerArguments: ['--authorization-mode=Node', '--enable-admission-plugins=NodeRestriction'] }),
  ]);
  life.defer(() => cluster.stop());
  const old = kubelet(cluster, life, { name: 'worker-1', file: 'worker-1' });
  const other = kubelet(cluster, life, { name: 'worker-2', file: 'worker-2' });
  for (const [{ client, pem }, name] of [
    [old, 'worker-1'],
    [other, 'worker-2'],
  ] as const) {
    await client.create(nodeOf(name));
    await adopt(ca, pem, `system:node:${name}`);
  }
  await ca.token({ node: 'worker-1' });
  await ca.token({ node: 'worker-*', maxNodes: 5 });
  await ca.token({ node: 'worker-2' });

  const done = await revokeNode('worker-1', options(ca, cluster.client, life));
  assert.deepEqual([done.certificates.length, done.tokens.length, done.sharedTokens.length, done.nodeDeleted], [1, 1, 1, true]);
  assert.deepEqual(
    ca.tokens.list().map(({ node }) => node),
    ['worker-*', 'worker-2'],
  );
  assert.equal(await cluster.client.find({ apiVersion: 'v1', kind: 'Node', name: 'worker-1' }), undefined);

  await assert.rejects(old.client.create(nodeOf('worker-1')), /this certificate was revoked/);
  const review = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name: 'x' } };
  const request = {
    ...review,
    spec: {
      request: Buffer.from('x').toString('base64'),
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['client auth'],
    },
  };
  await assert.rejects(old.client.create(request));
  // Its neighbour does what it did, and so does a host that was installed anew under the old name, with a new certificate.
  await other.client.patch({ apiVersion: 'v1', kind: 'Node', name: 'worker-2' }, { metadata: { labels: { a: 'b' } } });
  const fresh = kubelet(cluster, life, { name: 'worker-1', file: 'worker-1-new' });
  await fresh.client.create(nodeOf('worker-1'));
  await assert.rejects(
    old.client.patch({ apiVersion: 'v1', kind: 'Node', name: 'worker-1' }, { metadata: { labels: { a: 'b' } } }),
    /this certificate was revoked/,
  );

  // Once more changes nothing but removes what came back.
  const again = await revokeNode('worker-1', options(ca, cluster.client, life));
  assert.deepEqual([again.certificates, again.nodeDeleted], [[], true]);
  const acts = ca
    .audit()
    .filter(({ node }) => node === 'worker-1')
    .map(({ act, user }) => `${act} ${user}`);
  assert.deepEqual(acts, ['token-delete tester', 'revoke tester', 'node-delete tester', 'node-delete tester']);
});

test('the list holds what is revoked and has not expired, and nothing else', { timeout: 240_000 }, async () => {
  await using life = new Life();
  const [ca, cluster] = await Promise.all([startCa(life), startTestCluster()]);
  life.defer(() => cluster.stop());
  const { pem } = kubelet(cluster, life, { name: 'worker-1', file: 'a' });
  const serial = await adopt(ca, pem, 'system:node:worker-1');
  await ca.store.revoke({ serial, authorityKeyId: 'aa' }, { reason: 1, at: Date.now() });
  const data = async () =>
    (
      await cluster.client.get<{ apiVersion: 'v1'; kind: 'ConfigMap'; metadata: { name: string }; data?: Record<string, string> }>(
        refusalList,
      )
    ).data ?? {};
  await refuseCertificates(cluster.client, ca.store.list({ status: 'revoked' }), life.signal);
  assert.deepEqual(Object.keys(await data()), [fingerprint(certificateInfo(pem).der)]);
  await refuseCertificates(cluster.client, [], life.signal);
  assert.deepEqual(await data(), {});
});

test('a node of which the CA has no certificate is refused by its name', { timeout: 240_000 }, async () => {
  await using life = new Life();
  const [ca, cluster] = await Promise.all([startCa(life), startTestCluster({ apiServerArguments: ['--authorization-mode=Node'] })]);
  life.defer(() => cluster.stop());
  const { client } = kubelet(cluster, life, { name: 'worker-1', file: 'a' });
  await client.create(nodeOf('worker-1'));
  await assert.rejects(revokeNode('worker-9', options(ca, cluster.client, life)), /neither the CA nor the cluster knows a node worker-9/);
  const done = await revokeNode('worker-1', options(ca, cluster.client, life));
  assert.equal(done.nodeDeleted, true);
  await assert.rejects(client.create(nodeOf('worker-1')), /this certificate was revoked/);
  // Let in again by hand.
  await cluster.client.patch(refusalList, { data: { 'node.worker-1': null } });
  await eventually(() => client.create(nodeOf('worker-1')), life.signal);
});

test('with the authorization file of the CA the API server refuses reading as well', { timeout: 240_000 }, async () => {
  await using life = new Life();
  const folder = mkdtempSync(join(tmpdir(), 'rfo-authorization-'));
  life.defer(() => rmSync(folder, { recursive: true }));
  const [file, kubeconfig] = [join(folder, 'authorization.json'), join(folder, 'nowhere.json')];
  const write = (fingerprints: readonly string[]): void => writeFileSync(file, renderAuthorizationConfig({ fingerprints, kubeconfig }));
  writeFileSync(kubeconfig, renderNowhere());
  write([]);
  const cluster = await startTestCluster({ apiServerArguments: [`--authorization-config=${file}`] });
  life.defer(() => cluster.stop());
  const [old, other] = [kubelet(cluster, life, { name: 'worker-1', file: 'a' }), kubelet(cluster, life, { name: 'worker-2', file: 'b' })];
  const services = { method: 'GET', path: '/api/v1/services' } as const;
  for (const { client } of [old, other]) assert.equal((await client.raw(services)).status, 200);
  write([fingerprint(certificateInfo(old.pem).der)]);
  await eventually(async () => assert.notEqual((await old.client.raw(services)).status, 200), life.signal);
  assert.equal((await other.client.raw(services)).status, 200);
  assert.equal((await cluster.client.raw(services)).status, 200);
});

test('nothing is revoked for a cluster that could not be told', { timeout: 120_000 }, async () => {
  await using life = new Life();
  const ca = await startCa(life);
  const host = testHost(ca, { name: 'worker-1', token: await ca.token({ node: 'worker-1' }) });
  assert.equal((await host.join()).code, 0);
  const old = { raw: async () => ({ status: 200, text: '{"major":"1","minor":"31+","gitVersion":"v1.31.4"}' }) } as unknown as KubeClient;
  await assert.rejects(revokeNode('worker-1', options(ca, old, life)), /does not say which certificate/);
  assert.equal(ca.store.list({ node: 'worker-1', status: 'good' }).length, 2);
  const done = await revokeNode('worker-1', options(ca, undefined, life));
  assert.deepEqual([done.certificates.length, done.nodeDeleted], [2, undefined]);
});
