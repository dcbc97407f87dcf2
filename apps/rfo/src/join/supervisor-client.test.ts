import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { Life, orAbort } from '@rfo/foundation';
import { certificateInfos, createSigningRequest, formatName, generateKey, identity } from '@rfo/pki';
import { defaultClusterSettings } from '@rfo/schema';
import { closedAddress, day, secrets, startBadServer, startTestSupervisor, TestServerFiles, testClient } from './join.testing.ts';

const password = '0123456789abcdef0123456789abcdef';
const csr = (): Buffer => createSigningRequest({ subject: identity('node-2') }, generateKey());
const answers =
  (status: number, body: unknown): RequestListener =>
  (_, response: ServerResponse) =>
    void response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));

describe('the client of the join API', () => {
  it('asks for everything that the contract names', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const { files } = supervisor;
    const client = testClient(life, supervisor);
    await client.ready();
    const { settings, versions, servers } = await client.config();
    assert.deepEqual({ settings, versions }, { settings: defaultClusterSettings, versions: { rfo: '0.1.0', kubernetes: 'v1.36.3' } });
    assert.deepEqual(servers, ['https://192.0.2.7:9345']);
    const none = await client.certify({ requests: {}, password, ips: [] });
    const authorities = { 'client-ca': files.read('client-ca.crt'), 'server-ca': files.ca };
    assert.deepEqual(none, { authorities, certificates: {} });
    const requests = { 'client-kubelet': csr(), 'serving-kubelet': csr() };
    const { certificates } = await client.certify({ requests, password, ips: ['192.0.2.9', '2001:db8::9'] });
    assert.deepEqual(Object.keys(certificates), Object.keys(requests));
    const [kubelet] = certificateInfos(certificates['serving-kubelet'] ?? '');
    assert.equal(formatName(kubelet?.subject ?? []), 'CN=node-2');
    assert.deepEqual(
      kubelet?.altNames.map(({ value }) => value),
      ['node-2', 'localhost', '127.0.0.1', '::1', '192.0.2.9', '2001:db8::9'],
    );
    const { 'tls/server-ca.crt': shared } = await client.bootstrap(password);
    assert.equal(Buffer.from(shared ?? '', 'base64').toString(), files.ca);
  });

  it('adds a learner, has it promoted or is told why not yet, and takes it back', async () => {
    await using life = new Life();
    const client = testClient(life, await startTestSupervisor(life));
    const added = await client.addMember({ nodeName: 'node-2', name: 'node-2-0a1b2c3d', peerUrls: ['https://192.0.2.9:2380'] });
    assert.deepEqual(
      added.map(({ isLearner, peerUrls }) => ({ isLearner, peerUrls })),
      [{ isLearner: true, peerUrls: ['https://192.0.2.9:2380'] }],
    );
    assert.deepEqual(await client.promote('node-2-0a1b2c3d'), { votes: true });
    const slow = await client.promote('slow');
    assert.equal(slow.votes, false);
    assert.match(slow.votes ? '' : slow.problem, /it lacks 9000 entries/);
    await client.removeUnstartedMember('node-2-0a1b2c3d');
    assert.deepEqual(await client.members(), []);
  });

  it('tells the difference of the clocks', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    supervisor.files.now = Date.now() + 90_000;
    const { clockAhead } = await testClient(life, supervisor).config();
    assert.ok(Math.abs(clockAhead - 90_000) < 20_000, `${clockAhead} ms`);
  });

  it('keeps its one connection, for what is asked at once as well', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const server = await startBadServer(life, files.serving, answers(200, { members: [] }));
    const client = testClient(life, { ...server, files, life, members: [] });
    await client.ready();
    await Promise.all([client.ready(), client.ready()]);
    assert.equal(new Set(server.requests.map(({ socket }) => socket.remotePort)).size, 1);
  });

  it('reaches a server under a name that its certificate does not hold', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const server = await startBadServer(life, files.leaf({ hosts: ['kubernetes.default.svc'] }), answers(200, { members: [] }));
    assert.deepEqual(await testClient(life, { ...server, files, life, members: [] }).members(), []);
  });
});

describe('what the client sends to whom', () => {
  const impostors = {
    'a server of another cluster': async (_: TestServerFiles) => {
      using other = await TestServerFiles.create();
      return other.serving;
    },
    'a kubelet of the cluster': async (files: TestServerFiles) => files.leaf({ commonName: 'node-3', hosts: ['node-3', '127.0.0.1'] }),
    'a node that calls itself kube-apiserver': async (files: TestServerFiles) => files.leaf({ hosts: ['kube-apiserver', '127.0.0.1'] }),
    'a node that calls itself kubernetes.default.svc': async (files: TestServerFiles) =>
      files.leaf({ commonName: 'kubernetes.default.svc' }),
    'a certificate that is not for servers': async (files: TestServerFiles) => files.leaf({ usages: ['clientAuth'] }),
  };
  for (const [who, certificate] of Object.entries(impostors)) {
    it(`is nothing at all to ${who}`, async () => {
      await using life = new Life();
      using files = await TestServerFiles.create();
      const server = await startBadServer(life, await certificate(files), answers(200, { members: [] }));
      const client = testClient(life, { ...server, files, life, members: [] });
      await assert.rejects(client.ready(), { code: 'server-untrusted' });
      const adding = client.addMember({ nodeName: 'node-2', name: 'a', peerUrls: ['https://192.0.2.9:2380'] });
      await assert.rejects(adding, { code: 'server-untrusted' });
      assert.equal(server.heard(), '');
    });
  }

  it('is nothing to a server whose certificate has expired, which is worth another try', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const server = await startBadServer(life, files.leaf({ notAfter: Date.now() - day }), answers(200, { members: [] }));
    const asking = testClient(life, { ...server, files, life, members: [] }).ready();
    await assert.rejects(asking, { code: 'server-certificate-dates', retryable: true, message: /expired/ });
    assert.equal(server.heard(), '');
  });

  it('is the certificate of the node and no token, until the certificate is not accepted', async () => {
    await using life = new Life();
    let deleted = false;
    const supervisor = await startTestSupervisor(life, { nodeIsKnown: () => !deleted });
    const { files } = supervisor;
    const key = generateKey();
    const request = createSigningRequest({ subject: identity('node-2') }, key);
    const wish = { requests: { 'client-kubelet': request }, password, ips: [] };
    const { 'client-kubelet': cert = '' } = (await testClient(life, supervisor).certify(wish)).certificates;
    const clientCertificate = { cert, key: String(key.export({ type: 'sec1', format: 'pem' })) };
    const wrong = { credential: { kind: 'password', user: 'server', password: 'wrong' }, role: 'server' } as const;

    await testClient(life, supervisor, { clientCertificate, token: wrong }).ready();
    await testClient(life, supervisor, { clientCertificate, token: undefined }).ready();
    deleted = true;
    await assert.rejects(testClient(life, supervisor, { clientCertificate, token: undefined }).ready(), {
      code: 'join-unauthorized',
      message: /does not accept the certificate of this node: .*node-2/,
    });
    await assert.rejects(testClient(life, supervisor, { clientCertificate, token: wrong }).ready(), { code: 'join-unauthorized' });
    const right = { credential: files.token('server').credential, role: 'server' } as const;
    await testClient(life, supervisor, { clientCertificate, token: right }).ready();
  });

  it('is a bare password as that of the role it joins in', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const bare = (secret: string, role: 'server' | 'agent') =>
      ({ token: { credential: { kind: 'password', password: secret }, role } }) as const;
    await testClient(life, supervisor, bare(secrets.agent, 'agent')).ready();
    await testClient(life, supervisor, bare(secrets.server, 'server')).bootstrap(password);
    await assert.rejects(testClient(life, supervisor, bare(secrets.agent, 'server')).ready(), { code: 'join-unauthorized' });
  });
});

describe('what the client makes of refusals and faults', () => {
  it('passes on what the server says of a token, but not the token', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const expired = { credential: { kind: 'id', id: 'oldone', secret: 'abcdefghijklmnop' }, role: 'agent' } as const;
    await assert.rejects(testClient(life, supervisor, { token: expired }).config(), (error: Error) => {
      assert.match(
        error.message,
        /^https:\S+ does not accept the token of this node: the token expired at 2026-01-01\S*\. Make a new one on a server: rfo token create\.$/,
      );
      assert.doesNotMatch(error.message, /abcdefghijklmnop/);
      return true;
    });
  });

  it('tells a right that is missing and a name that is taken from a wrong token', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const agent = { credential: supervisor.files.token('agent').credential, role: 'agent' } as const;
    await assert.rejects(testClient(life, supervisor, { token: agent }).bootstrap(password), { code: 'join-refused', retryable: false });
    const requests = { 'client-kubelet': csr() };
    await testClient(life, supervisor).certify({ requests, password, ips: [] });
    const again = testClient(life, supervisor).certify({ requests, password: password.replace('0', 'f'), ips: [] });
    await assert.rejects(again, {
      code: 'join-refused',
      message:
        /^https:\S+ refuses the certificates of node-2: another host has joined as node node-2, .* is known \(join-name-taken\)\. Give this host a node-name .* rfo node readopt node-2\.$/,
    });
    const adding = testClient(life, supervisor).addMember({ nodeName: 'node-2', name: 'taken', peerUrls: ['https://192.0.2.9:2380'] });
    await assert.rejects(adding, { code: 'join-refused', message: /its name is taken/ });
  });

  it('counts a server that is not ready as one to ask again', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life, { ready: () => false });
    await assert.rejects(testClient(life, supervisor).ready(), { code: 'server-not-ready', retryable: true });
  });

  it('names what cannot be read in an answer', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    for (const [answer, problem] of [
      ['<html>', /not JSON/],
      ['{"members":[1]}', /does not hold what it should/],
    ] as const) {
      const server = await startBadServer(life, files.serving, answers(200, answer));
      const asking = testClient(life, { ...server, files, life, members: [] }).members();
      await assert.rejects(asking, { code: 'server-answer-invalid', message: problem });
    }
    const gateway = await startBadServer(life, files.serving, answers(502, '<html>Bad Gateway</html>'));
    const asking = testClient(life, { ...gateway, files, life, members: [] }).ready();
    await assert.rejects(asking, { code: 'server-not-ready', message: /it answers 502/ });
  });

  it('gives up an answer that hangs, before its first byte or in its middle, and one without end', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const silent = await startBadServer(life, files.serving, () => undefined);
    const half = await startBadServer(life, files.serving, (_, response) => void response.write('{"members":'));
    for (const { address } of [silent, half]) {
      const asking = testClient(life, { address, files, life, members: [] }, { timeout: 300 }).ready();
      await assert.rejects(asking, { code: 'server-unreachable', message: /does not answer within 0.3 s/ });
    }
    const endless = await startBadServer(life, files.serving, (_, response) => {
      const more = (): void => void (response.destroyed || response.write(Buffer.alloc(1024 * 1024), () => setImmediate(more)));
      more();
    });
    await assert.rejects(testClient(life, { ...endless, files, life, members: [] }).ready(), { message: /longer than 4 MiB/ });
  });

  it('gives up a host that takes the connection but speaks no TLS, and leaves no connection to it behind', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const closed = Promise.withResolvers<void>();
    const mute = createServer((socket) => void socket.resume().once('close', closed.resolve)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    life.defer(() => mute.close());
    const { port } = mute.address() as AddressInfo;
    const client = testClient(life, { address: { host: '127.0.0.1', port }, files, life, members: [] }, { timeout: 300 });
    await assert.rejects(client.ready(), { code: 'server-unreachable' });
    client[Symbol.dispose]();
    await orAbort(closed.promise, AbortSignal.timeout(90_000));
    const controller = new AbortController();
    const bound = { signal: controller.signal, timeout: 60_000 };
    const waiting = testClient(life, { address: { host: '127.0.0.1', port }, files, life, members: [] }, bound).ready();
    setImmediate(() => controller.abort(new Error('over')));
    await assert.rejects(waiting, { message: 'over' });
  });

  it('goes on to the next server where one is down, not ready or no server of this cluster, and stays with the one that answered', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const { files } = supervisor;
    using other = await TestServerFiles.create();
    const foreign = await startBadServer(life, other.serving, answers(200, { members: [] }));
    const starting = await startBadServer(life, files.serving, answers(503, { code: 'server-starting', message: 'starting' }));
    const addresses = [await closedAddress(), foreign.address, starting.address, supervisor.address] as const;
    const client = testClient(life, supervisor, { addresses });
    assert.deepEqual((await client.config()).servers, ['https://192.0.2.7:9345']);
    await client.ready();
    assert.equal(starting.requests.length, 1);
    assert.equal(foreign.heard(), '');
  });

  it('names every server where none answers', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const [one, two] = [await closedAddress(), await closedAddress()];
    const asking = testClient(life, { address: one, files, life, members: [] }, { addresses: [one, two] }).ready();
    await assert.rejects(asking, {
      code: 'server-unreachable',
      message: new RegExp(`:${one.port} .*ECONNREFUSED.*; https://127.0.0.1:${two.port} `),
    });
  });

  it('does not ask further servers once one has refused', async () => {
    await using life = new Life();
    const supervisor = await startTestSupervisor(life);
    const { files } = supervisor;
    const second = await startBadServer(life, files.serving, answers(200, { members: [] }));
    const token = { credential: { kind: 'password', user: 'server', password: 'wrong' }, role: 'server' } as const;
    const client = testClient(life, supervisor, { addresses: [supervisor.address, second.address], token });
    await assert.rejects(client.ready(), { code: 'join-unauthorized' });
    assert.equal(second.requests.length, 0);
  });

  it('asks for a member once only, unless the server cannot have heard it', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const member = { nodeName: 'node-2', name: 'node-2-0a1b2c3d', peerUrls: ['https://192.0.2.9:2380'] };
    const dying = await startBadServer(life, files.serving, (request) => void request.socket.destroy());
    const good = await startBadServer(life, files.serving, answers(200, { members: [] }));
    const options = { address: good.address, files, life, members: [] };
    const lost = testClient(life, options, { addresses: [dying.address, good.address] }).addMember(member);
    await assert.rejects(lost, { code: 'server-unreachable' });
    assert.equal(good.requests.length, 0);
    await testClient(life, options, { addresses: [await closedAddress(), good.address] }).addMember(member);
    assert.equal(good.requests.length, 1);
  });

  it('takes a kept connection that is gone for no failure of the server', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const server = await startBadServer(life, files.serving, (request, response) => {
      // The second request on a connection finds it closing.
      if (server.requests.filter(({ socket }) => socket === request.socket).length > 1) request.socket.destroy();
      else response.end('{}');
    });
    const client = testClient(life, { ...server, files, life, members: [] });
    await client.ready();
    await client.ready();
    assert.equal(server.requests.length, 3);
  });

  it('ends every request with its signal', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const controller = new AbortController();
    const server = await startBadServer(life, files.serving, () => controller.abort(new Error('over')));
    const client = testClient(life, { ...server, files, life, members: [] }, { signal: controller.signal });
    await assert.rejects(client.ready(), { message: 'over' });
    await assert.rejects(client.ready(), { message: 'over' });
  });
});
