import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Life, silentLog } from '@rfo/foundation';
import { startTestCluster, type TestCluster } from '@rfo/kube';
import { certificateInfos, createSigningRequest, generateKey, identity } from '@rfo/pki';
import {
  bodyLimit,
  type CertificateRequests,
  joinHeaders,
  joinPaths,
  parseBootstrapData,
  parseIssuedCertificates,
  renderCertificateRequests,
} from './api.ts';
import { bootstrapFiles } from './bootstrap-data.ts';
import type { SupervisorInputs } from './inputs.ts';
import { createNodePasswords, type NodePasswords } from './node-passwords.ts';
import {
  agentToken,
  certificatePaths,
  everyRoute,
  fakeMembers,
  type Question,
  serverToken,
  signing,
  TestServer,
} from './supervisor.testing.ts';

describe('the join API', () => {
  let cluster: TestCluster;
  const life = new Life();
  let nodePasswords: NodePasswords;
  before(async () => {
    cluster = await startTestCluster();
    nodePasswords = createNodePasswords({ client: cluster.client, life, log: silentLog });
  });
  after(async () => {
    await life.end();
    await cluster.stop();
  });
  const start = (change: Partial<SupervisorInputs> = {}): Promise<TestServer> => TestServer.start({ nodePasswords, ...change });

  it('makes the four certificates of a node, and tells the log once with what it came', async () => {
    await using server = await start();
    for (const path of certificatePaths) {
      const { status, text } = await server.ask(signing(path, { name: 'agent-four' }));
      assert.equal(status, 200, text);
      const authority = path === joinPaths.servingKubelet ? 'server-ca' : 'client-ca';
      assert.equal(certificateInfos(text).at(-1)?.serial, server.node.info(authority).serial);
      assert.doesNotMatch(text, /PRIVATE/);
    }
    assert.deepEqual(server.tokens.uses, ['node agent-four']);
    const told = server.lines.filter((line) => line.includes('agent-four'));
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /let in .*with="token node \(agent\)" address=127\.0\.0\.1 outcome=accepted/);
  });

  it('makes all that a node asks for in one request, or none of it', async () => {
    let ready = false;
    await using server = await start({ ready: () => ready, apiServes: () => true });
    const csr = (): Buffer => createSigningRequest({ subject: identity('whoever') }, generateKey());
    const asking = (requests: CertificateRequests['requests'], name = 'agent-all'): Question => ({
      ...signing(joinPaths.nodeCertificates, { name }),
      body: renderCertificateRequests({ requests }),
    });
    const two = { 'client-kubelet': csr(), 'serving-kubelet': csr() };
    assert.equal((await server.ask(asking(two))).problem?.code, 'server-starting');
    ready = true;
    const bad: readonly [Question, number, string][] = [
      [{ ...asking(two), body: '{"requests":{"etcd-server":"MA=="}}' }, 400, 'request-invalid'],
      [{ ...asking(two), body: csr() }, 400, 'request-invalid'],
      [asking({ ...two, 'client-kube-proxy': Buffer.from('no request') }), 400, 'signing-request-invalid'],
      [asking(two, 'kubernetes.default.svc'), 403, 'join-name-reserved'],
    ];
    for (const [question, status, code] of bad) {
      const reply = await server.ask(question);
      assert.deepEqual([reply.status, reply.problem?.code], [status, code], JSON.stringify(reply.problem));
    }
    assert.deepEqual(server.tokens.uses, [], 'nobody was let in');

    const none = parseIssuedCertificates(JSON.parse((await server.ask(asking({}, 'agent-curious'))).text));
    const authorities = { 'client-ca': server.node.read('client-ca.crt'), 'server-ca': server.node.read('server-ca.crt') };
    assert.deepEqual(none, { authorities, certificates: {} });
    assert.deepEqual(server.tokens.uses, [], 'to look at the CAs is no join');
    const { status, text } = await server.ask(asking(two));
    assert.equal(status, 200, text);
    const { certificates } = parseIssuedCertificates(JSON.parse(text));
    const signers = Object.entries(certificates).map(([name, pem]) => [name, certificateInfos(pem).at(-1)?.serial]);
    const [client, serving] = (['client-ca', 'server-ca'] as const).map((name) => server.node.info(name).serial);
    assert.deepEqual(Object.fromEntries(signers), { 'client-kubelet': client, 'serving-kubelet': serving });
    assert.deepEqual(server.tokens.uses, ['node agent-all']);

    const other = await server.ask({ ...asking(two), headers: { ...asking(two).headers, [joinHeaders.nodePassword]: 'f'.repeat(32) } });
    assert.deepEqual([other.status, other.problem?.code], [403, 'join-name-taken']);
    const foreign = { ...asking(two), as: server.nodeCertificate('agent-other'), headers: { [joinHeaders.nodeName]: 'agent-all' } };
    assert.equal((await server.ask(foreign)).problem?.code, 'join-foreign-name');
  });

  it('lets a node renew with its certificate what is its own, for as long as there is such a Node', async () => {
    const known = new Map<string, boolean>();
    await using server = await start({ nodeIsKnown: (name) => known.get(name) });
    const as = server.nodeCertificate('agent-own');
    const withoutToken = (name: string): Question => {
      const { headers: _, ...rest } = signing(joinPaths.clientKubelet, { name });
      return { ...rest, as, headers: { [joinHeaders.nodeName]: name } };
    };
    assert.equal((await server.ask(withoutToken('agent-own'))).status, 200, 'not known yet');
    known.set('agent-own', true);
    assert.equal((await server.ask(withoutToken('agent-own'))).status, 200);
    const other = await server.ask(withoutToken('agent-other'));
    assert.deepEqual([other.status, other.problem?.code], [403, 'join-foreign-name']);
    known.set('agent-own', false);
    const deleted = await server.ask(withoutToken('agent-own'));
    assert.deepEqual([deleted.status, deleted.problem?.code], [401, 'join-node-deleted']);
    assert.equal((await server.ask({ ...signing(joinPaths.clientKubelet, { name: 'agent-own' }), as })).status, 200, 'by its token');
  });

  it('refuses the name of another host, and names the cure', async () => {
    await using server = await start();
    assert.equal((await server.ask(signing(joinPaths.clientKubelet, { name: 'agent-name' }))).status, 200);
    const { status, problem } = await server.ask(
      signing(joinPaths.servingKubelet, { name: 'Agent-Name', password: 'another-password-entirely' }),
    );
    assert.deepEqual([status, problem?.code], [403, 'join-name-taken']);
    assert.match(problem?.message ?? '', /another host has joined.*installed anew.*rfo node readopt agent-name/);
    assert.match(server.lines.join(''), /refused node=agent-name with="token node \(agent\)" .*outcome=join-name-taken/);
    assert.doesNotMatch(server.lines.join(''), /another-password|0123456789abcdef/);
  });

  it('gives the keys of the cluster to no server that has the name of another host', async () => {
    let ready = false;
    await using server = await start({ ready: () => ready });
    const ask = (name: string, password?: string) => {
      const own = { [joinHeaders.nodeName]: name, ...(password && { [joinHeaders.nodePassword]: password }) };
      return server.ask({ path: joinPaths.bootstrap, headers: { ...serverToken, ...own } });
    };
    const [first, second] = ['0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'];
    assert.equal((await ask('server-name', first)).problem?.code, 'server-starting');
    ready = true;
    assert.equal((await server.ask(signing(joinPaths.clientKubelet, { name: 'agent-of-the-name' }))).status, 200);
    const refused = await ask('agent-of-the-name', second);
    assert.deepEqual([refused.status, refused.problem?.code], [403, 'join-name-taken']);
    assert.equal((await ask('server-name')).problem?.code, 'request-invalid', 'without a password');
    assert.equal((await ask('server-name', first)).status, 200);
    assert.equal((await ask('server-name', second)).problem?.code, 'join-name-taken');
    assert.deepEqual(server.tokens.uses, ['node agent-of-the-name', 'server server-name']);
  });

  it('refuses requests for certificates that are not what they should be', async () => {
    await using server = await start();
    const good = signing(joinPaths.servingKubelet, { name: 'agent-bad' });
    const cases: readonly [Partial<Question>, number, string][] = [
      [{ body: 'no request' }, 400, 'signing-request-invalid'],
      [{ body: '' }, 400, 'signing-request-invalid'],
      [{ headers: agentToken }, 400, 'request-invalid'],
      [{ headers: { ...good.headers, [joinHeaders.nodeName]: 'a/b' } }, 400, 'node-name-invalid'],
      [{ headers: { ...good.headers, [joinHeaders.nodePassword]: '' } }, 400, 'request-invalid'],
      [{ headers: { ...good.headers, [joinHeaders.nodeIp]: 'kubernetes.default' } }, 400, 'request-invalid'],
      [{ headers: { ...good.headers, [joinHeaders.nodeIp]: '10.43.0.1' } }, 403, 'join-name-reserved'],
      [{ headers: { ...good.headers, [joinHeaders.nodeName]: 'kubernetes.default.svc' } }, 403, 'join-name-reserved'],
      [{ headers: { ...good.headers, [joinHeaders.nodeName]: 'node-1' } }, 403, 'join-name-reserved'],
      [{ body: Buffer.alloc(bodyLimit + 1) }, 413, 'request-too-large'],
      [{ body: Buffer.alloc(bodyLimit + 1), headers: { ...good.headers, 'transfer-encoding': 'chunked' } }, 413, 'request-too-large'],
    ];
    for (const [change, status, code] of cases) {
      const reply = await server.ask({ ...good, ...change });
      assert.deepEqual([reply.status, reply.problem?.code], [status, code], JSON.stringify(reply.problem));
    }
    // Neither a name in the request nor one that it is sent to gets into a certificate that the server shows.
    const before = server.node.read('serving-kube-apiserver.crt');
    await server.raw('GET /ping HTTP/1.1\r\nhost: evil.example\r\n\r\n');
    assert.equal(server.node.read('serving-kube-apiserver.crt'), before);
    assert.deepEqual(server.tokens.uses, []);
  });

  it('lets a token for one node join one node, with all of its requests', async () => {
    await using server = await start({ members: fakeMembers() });
    const once = server.tokens.make('single', { role: 'server', uses: 1 });
    const of = (path: string, name: string): Question => {
      const question = signing(path, { name });
      return { ...question, headers: { ...question.headers, ...once } };
    };
    for (const path of certificatePaths) assert.equal((await server.ask(of(path, 'agent-single'))).status, 200, path);
    assert.deepEqual(server.tokens.uses, ['single agent-single']);
    const second = await server.ask(of(joinPaths.clientKubelet, 'agent-second'));
    assert.deepEqual([second.status, second.problem?.code], [401, 'join-token-used-up']);
    // Requests that do not name the node, from the host that joined.
    assert.equal((await server.ask({ path: joinPaths.etcdMembers, headers: once })).status, 200);
  });

  it('hands the keys of the cluster to servers, and nothing secret anywhere else', async () => {
    await using server = await start();
    const { status, text } = await server.ask({ path: joinPaths.bootstrap, headers: serverToken });
    assert.equal(status, 200);
    const data = parseBootstrapData(JSON.parse(text));
    assert.deepEqual(Object.keys(data), bootstrapFiles(server.node.paths));
    const wanted = ['server-ca', 'client-ca', 'request-header-ca', 'etcd/server-ca', 'etcd/peer-ca'].flatMap((name) => [
      `tls/${name}.crt`,
      `tls/${name}.key`,
    ]);
    for (const file of [...wanted, 'tls/service.key', 'cred/encryption-config.json', 'cred/passwd', 'token', 'node-token', 'agent-token'])
      assert.ok(data[file], file);
    assert.equal(Buffer.from(data['tls/client-ca.key'] ?? '', 'base64').toString(), server.node.read('client-ca.key'));
    assert.match(server.lines.join(''), /keys of the cluster were given/);

    const secret = /PRIVATE|the-secret-of/;
    for (const question of everyRoute.filter(({ path }) => path !== joinPaths.bootstrap))
      for (const by of [{ headers: agentToken }, { headers: serverToken }, { as: server.nodeCertificate('x') }, { as: server.admin() }])
        assert.doesNotMatch((await server.ask({ ...question, ...by })).text, secret, question.path);
    assert.doesNotMatch(server.lines.join(''), secret);
  });

  it('changes the members of etcd for servers', async () => {
    const members = fakeMembers();
    await using server = await start({ members });
    const call = (method: string, path: string, body?: unknown) =>
      server.ask({ method, path, headers: serverToken, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const wish = { nodeName: 'Server-2', name: 'server-2-abcd', peerUrls: ['https://192.0.2.9:2380'] };
    assert.deepEqual(JSON.parse((await call('GET', joinPaths.etcdMembers)).text), { members: [] });
    const added = await call('POST', joinPaths.etcdMembers, wish);
    assert.deepEqual(JSON.parse(added.text), { members: members.peers });
    assert.deepEqual(members.calls, [`add server-2 ${wish.name}`]);
    assert.deepEqual(server.tokens.uses, ['server server-2']);
    const early = await call('POST', joinPaths.etcdPromote, { name: wish.name });
    assert.deepEqual([early.status, early.problem?.code], [409, 'etcd-not-caught-up']);
    assert.match(early.problem?.message ?? '', /server-2-abcd.*3 % behind/);
    members.state = 'voting';
    assert.equal((await call('POST', joinPaths.etcdPromote, { name: wish.name })).status, 200);
    const url = new URLSearchParams({ name: 'https://192.0.2.9:2380' });
    assert.equal((await call('DELETE', `${joinPaths.etcdMembers}?${url}`)).status, 200);
    assert.equal(members.calls.at(-1), 'remove https://192.0.2.9:2380');
    for (const body of [
      undefined,
      {},
      { ...wish, peerUrls: ['http://192.0.2.9:2380'] },
      { ...wish, peerUrls: [] },
      { ...wish, name: '' },
      { ...wish, nodeName: 'a/b' },
    ])
      assert.equal((await call('POST', joinPaths.etcdMembers, body)).status, 400, JSON.stringify(body));
    assert.equal((await call('DELETE', joinPaths.etcdMembers)).status, 400);
    assert.equal((await call('POST', joinPaths.etcdPromote, null)).status, 400);
  });

  it('gives servers what they need while there is no API server yet, and no name to a node', async () => {
    await using server = await start({ apiServes: () => false, servers: () => [] });
    const headers = { ...serverToken, [joinHeaders.nodeName]: 'server-2', [joinHeaders.nodePassword]: 'x'.repeat(32) };
    for (const path of [joinPaths.ready, joinPaths.config, joinPaths.servers, joinPaths.bootstrap, joinPaths.etcdMembers])
      assert.equal((await server.ask({ path, headers })).status, 200, path);
    const { status, problem } = await server.ask(signing(joinPaths.clientKubelet, { name: 'early' }));
    assert.deepEqual([status, problem?.code], [503, 'server-starting']);
  });

  it('says when it is starting, and when it failed for a reason of its own', async () => {
    let ready = false;
    const members = fakeMembers();
    await using server = await start({ ready: () => ready, apiServes: () => ready, members });
    for (const question of [
      { path: joinPaths.ready, headers: agentToken },
      { path: '/readyz', as: server.admin() },
      signing(joinPaths.clientKubelet, { name: 'early' }),
    ]) {
      const { status, problem, headers } = await server.ask(question);
      assert.deepEqual([status, problem?.code, headers['retry-after']], [503, 'server-starting', '2']);
    }
    ready = true;
    assert.equal((await server.ask({ path: joinPaths.ready, headers: agentToken })).status, 200);
    members.broken = new Error('secret detail');
    const { status, text } = await server.ask({ path: joinPaths.etcdMembers, headers: serverToken });
    assert.equal(status, 500);
    assert.doesNotMatch(text, /secret detail/);
    assert.match(server.lines.join(''), /error .*could not be answered .*secret detail/);
  });
});
