import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Life } from '@rfo/foundation';
import { certificateInfo, certificateInfos, encodeKey, formatName, generateKey } from '@rfo/pki';
import { TestNode } from '../certificates/node.testing.ts';
import { CertificateStore } from '../certificates/store.ts';
import type { CertificateRequests, IssuedCertificates } from '../supervisor/api.ts';
import { day, startTestSupervisor, type TestServerFiles, type TestSupervisor, testClient } from './join.testing.ts';
import { ensureNodeCertificates, keptNodeCertificates, type NodeCertificates, nodeClientCertificate } from './node-certificates.ts';
import type { CertificateWish, SupervisorClient } from './supervisor-client.ts';

const nodeIps = ['192.0.2.9'];
const nodePassword = '0123456789abcdef0123456789abcdef';

/** An agent's data directory, and what it asks a server for. */
class Agent implements Disposable {
  readonly node = new TestNode();
  readonly store = new CertificateStore(this.node.paths.agent.tls);
  readonly paths = this.node.paths;
  now = Date.now();

  ensure(client: SupervisorClient, change: { nodeName?: string; nodeIps?: readonly string[] } = {}): Promise<NodeCertificates> {
    return ensureNodeCertificates({ client, paths: this.paths, nodeName: 'node-2', nodeIps, nodePassword, now: this.now, ...change });
  }
  kept(change: { nodeIps?: readonly string[] } = {}): NodeCertificates | undefined {
    return keptNodeCertificates({ paths: this.paths, nodeName: 'node-2', nodeIps, now: this.now, ...change });
  }
  identity(nodeName = 'node-2') {
    return nodeClientCertificate({ paths: this.paths, nodeName, now: this.now });
  }
  key(name: string): string {
    return readFileSync(this.store.keyFile(name), 'utf8');
  }
  crt(name: string): string {
    return readFileSync(this.store.certificateFile(name), 'utf8');
  }
  [Symbol.dispose](): void {
    this.node[Symbol.dispose]();
  }
}

function changes({ certificates }: NodeCertificates): string[] {
  return certificates.filter(({ action }) => action !== 'kept').map(({ name, action, reason }) => `${name}: ${action} (${reason})`);
}

/** The same client, one function of it replaced. */
function lying(client: SupervisorClient, change: Partial<SupervisorClient>): SupervisorClient {
  return { ...client, ...change };
}

function assertNone(requests: CertificateRequests['requests']): CertificateRequests['requests'] {
  assert.deepEqual(requests, {});
  return requests;
}

function lesser({ certificates }: IssuedCertificates): Pick<IssuedCertificates, 'certificates'> {
  return { certificates };
}

async function joined(life: Life): Promise<{ agent: Agent; supervisor: TestSupervisor; files: TestServerFiles; client: SupervisorClient }> {
  const supervisor = await startTestSupervisor(life);
  const client = testClient(life, supervisor);
  const agent = new Agent();
  life.defer(() => agent[Symbol.dispose]());
  await agent.ensure(client);
  return { agent, supervisor, files: supervisor.files, client };
}

describe('the certificates of a node', () => {
  it('are signed by a server for keys that stay on the node', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    using agent = new Agent();
    const sent: string[][] = [];
    const client = testClient(life, supervisor);
    const watching = lying(client, {
      certify: (wish) => {
        sent.push(Object.keys(wish.requests));
        return client.certify(wish);
      },
    });
    assert.deepEqual(changes(await agent.ensure(watching)), [
      'client-ca: created (there was none)',
      'server-ca: created (there was none)',
      'client-kubelet: created (there was none)',
      'serving-kubelet: created (there was none)',
      'client-kube-proxy: created (there was none)',
      'client-rfo-controller: created (there was none)',
    ]);
    assert.equal(agent.crt('server-ca'), supervisor.files.ca);
    assert.equal(agent.crt('client-ca'), supervisor.files.read('client-ca.crt'));
    const subjects = ['client-kubelet', 'serving-kubelet', 'client-kube-proxy', 'client-rfo-controller'].map((name) => {
      assert.equal(statSync(agent.store.keyFile(name)).mode & 0o777, 0o600);
      return formatName(certificateInfo(agent.crt(name)).subject);
    });
    assert.deepEqual(subjects, ['CN=system:node:node-2,O=system:nodes', 'CN=node-2', 'CN=system:kube-proxy', 'CN=system:rfo-controller']);
    const names = certificateInfo(agent.crt('serving-kubelet')).altNames.map(({ value }) => value);
    assert.deepEqual(names, ['node-2', 'localhost', '127.0.0.1', '::1', '192.0.2.9']);
    assert.deepEqual(sent, [['client-kubelet', 'serving-kubelet', 'client-kube-proxy', 'client-rfo-controller']]);
  });

  it('are kept as long as they are good, without a request for another one', async () => {
    await using life = new Life();
    const { agent, client } = await joined(life);
    const stingy = lying(client, { certify: (wish) => client.certify({ ...wish, requests: assertNone(wish.requests) }) });
    assert.deepEqual(changes(await agent.ensure(stingy)), []);
  });

  it('are renewed under the same key when a third of their life is left', async () => {
    await using life = new Life();
    const { agent, client, files } = await joined(life);
    const [key, before] = [agent.key('client-kubelet'), agent.crt('client-kubelet')];
    files.now = agent.now += 21 * day;
    const said = changes(await agent.ensure(client));
    assert.equal(said.length, 4);
    assert.match(said[0] ?? '', /^client-kubelet: renewed \(ends at /);
    assert.equal(agent.key('client-kubelet'), key);
    assert.notEqual(agent.crt('client-kubelet'), before);
  });

  it('are made anew where a file is missing, damaged, of another key, or open to others', async () => {
    await using life = new Life();
    const { agent, client } = await joined(life);
    rmSync(agent.store.keyFile('client-kube-proxy'));
    truncateSync(agent.store.certificateFile('serving-kubelet'));
    writeFileSync(agent.store.keyFile('client-rfo-controller'), encodeKey(generateKey()));
    chmodSync(agent.store.keyFile('client-kubelet'), 0o644);
    assert.deepEqual(changes(await agent.ensure(client)), [
      'serving-kubelet: created (it cannot be read)',
      'client-kube-proxy: regenerated (its key is missing)',
      'client-rfo-controller: regenerated (it is of another key)',
    ]);
    assert.equal(statSync(agent.store.keyFile('client-kubelet')).mode & 0o777, 0o600);
    assert.deepEqual(changes(await agent.ensure(client)), []);
  });

  it('follow a new address and a new name of the node', async () => {
    await using life = new Life();
    const { agent, client, supervisor } = await joined(life);
    const moved = { nodeIps: ['192.0.2.10'] };
    assert.deepEqual(changes(await agent.ensure(client, moved)), ['serving-kubelet: renewed (names are missing in it: IP:192.0.2.10)']);
    const renamed = testClient(life, supervisor, { nodeName: 'node-3' });
    assert.deepEqual(changes(await agent.ensure(renamed, { ...moved, nodeName: 'node-3' })), [
      'client-kubelet: regenerated (its subject is CN=system:node:node-2,O=system:nodes)',
      'serving-kubelet: regenerated (its subject is CN=node-2)',
    ]);
  });

  it('follow the CA of the cluster', async () => {
    await using life = new Life();
    const { agent } = await joined(life);
    const other = testClient(life, await startTestSupervisor(life));
    const said = changes(await agent.ensure(other));
    assert.deepEqual(said.slice(0, 3), [
      'client-ca: regenerated (the servers have another one)',
      'server-ca: regenerated (the servers have another one)',
      'client-kubelet: regenerated (it is signed by another CA)',
    ]);
    assert.equal(said.length, 6);
  });

  it('tell who has to take a new one: only what runs on an agent, anew where it would notice too late', async () => {
    await using life = new Life();
    const { agent, client, files } = await joined(life);
    files.now = agent.now += 30 * day - 60_000;
    const { certificates } = await agent.ensure(client);
    const uses = certificates.map(
      ({ name, usedBy }) => `${name}: ${usedBy.map(({ component, takes }) => `${component} ${takes}`).join(', ')}`,
    );
    assert.deepEqual(uses, [
      'client-ca: kubelet hot, rfo callback',
      'server-ca: kubelet restart, kube-proxy restart, flannel restart, rfo callback',
      'client-kubelet: kubelet restart, rfo callback',
      'serving-kubelet: kubelet restart',
      'client-kube-proxy: kube-proxy restart',
      'client-rfo-controller: flannel restart, rfo callback',
    ]);
  });

  it('are not replaced by what does not fit', async () => {
    await using life = new Life();
    const { agent, client, supervisor, files } = await joined(life);
    const before = agent.crt('serving-kubelet');
    const other = await startTestSupervisor(life);
    files.now = agent.now += 21 * day;
    const foreign = testClient(life, other);
    const [certificates, authorities] = (['certificates', 'authorities'] as const).map(
      (part) => (change: Readonly<Record<string, string>>) => async (wish: CertificateWish) => {
        const answer = await client.certify(wish);
        return { ...answer, [part]: { ...answer[part], ...change } };
      },
    );
    assert.ok(certificates && authorities);
    const lies: readonly [string, SupervisorClient['certify']][] = [
      ['server-answer-invalid', certificates({ 'serving-kubelet': '<html>' })],
      ['server-answer-invalid', certificates({ 'serving-kubelet': agent.crt('client-kube-proxy') })],
      ['server-answer-invalid', async (wish) => ({ ...(await client.certify(wish)), certificates: {} })],
      ['certificate-untrusted', async (wish) => ({ ...(await client.certify(wish)), ...lesser(await foreign.certify(wish)) })],
      ['server-answer-invalid', (wish) => client.certify({ ...wish, ips: [] })],
      ['server-answer-invalid', authorities({ 'server-ca': 'no CA' })],
      ['server-answer-invalid', authorities({ 'server-ca': agent.crt('client-kubelet') })],
    ];
    const kept = agent.crt('client-kubelet');
    for (const [code, certify] of lies) await assert.rejects(agent.ensure(lying(client, { certify })), { code });
    assert.equal(agent.crt('client-kubelet'), kept, 'one that was not checked goes for all');
    assert.equal(agent.crt('serving-kubelet'), before);
    assert.equal(agent.crt('server-ca'), supervisor.files.ca);
  });
});

describe('what a node has on its disk', () => {
  it('is enough to start without a server until it expires, due or without a new address as it may be', async () => {
    await using life = new Life();
    using fresh = new Agent();
    assert.equal(fresh.kept(), undefined);
    const { agent } = await joined(life);
    assert.equal(agent.kept()?.certificates.length, 6);
    agent.now += 21 * day;
    assert.deepEqual(changes(agent.kept({ nodeIps: ['192.0.2.10'] }) ?? { certificates: [] }), []);
    assert.ok(agent.kept({ nodeIps: ['192.0.2.10'] }));
    agent.now += 10 * day;
    assert.equal(agent.kept(), undefined);
  });

  it('is not enough where a part is damaged', async () => {
    await using life = new Life();
    const { agent } = await joined(life);
    const text = agent.crt('server-ca');
    truncateSync(agent.store.certificateFile('server-ca'));
    assert.equal(agent.kept(), undefined);
    writeFileSync(agent.store.certificateFile('server-ca'), text);
    assert.ok(agent.kept());
    truncateSync(agent.store.keyFile('client-kube-proxy'));
    assert.equal(agent.kept(), undefined);
  });

  it('shows a server who the node is, without a token', async () => {
    await using life = new Life();
    const { agent, supervisor } = await joined(life);
    const clientCertificate = agent.identity();
    assert.ok(clientCertificate);
    const client = testClient(life, supervisor, { token: undefined, clientCertificate });
    rmSync(agent.store.certificateFile('serving-kubelet'));
    assert.deepEqual(changes(await agent.ensure(client)), ['serving-kubelet: created (there was none)']);
    const other = testClient(life, supervisor, { nodeName: 'node-3', token: undefined, clientCertificate });
    const foreign = other.certify({ requests: { 'client-kubelet': Buffer.from('') }, password: nodePassword, ips: [] });
    await assert.rejects(foreign, { code: 'join-refused' });
    assert.equal(certificateInfos(clientCertificate.cert)[0]?.subject.at(-1)?.value, 'system:node:node-2');
  });

  it('does not stand for the node under another name, nor after it expired', async () => {
    await using life = new Life();
    const { agent } = await joined(life);
    assert.equal(agent.identity('node-3'), undefined);
    agent.now += 31 * day;
    assert.equal(agent.identity(), undefined);
  });
});
