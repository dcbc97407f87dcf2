import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { RfoError } from '@rfo/foundation';
import { formatName, identity } from '@rfo/pki';
import { joinHeaders, joinPaths } from './api.ts';
import type { SupervisorInputs } from './inputs.ts';
import {
  administratorPaths,
  agentToken,
  everyRoute,
  fakeMembers,
  joinerPaths,
  type Question,
  serverToken,
  TestServer,
} from './supervisor.testing.ts';

describe("a supervisor's port", () => {
  const notAsked = { check: async () => assert.fail('no password is to be looked at here') };
  const start = (change: Partial<SupervisorInputs> = {}): Promise<TestServer> => TestServer.start({ nodePasswords: notAsked, ...change });

  it('answers anybody who asks for life or for its CA, with the bytes that tokens pin', async () => {
    await using server = await start();
    assert.equal((await server.ask({ path: joinPaths.ping })).text, 'pong');
    const { text, status } = await server.ask({ path: joinPaths.caCerts });
    assert.deepEqual([status, text], [200, server.node.read('server-ca.crt')]);
  });

  it('has every route of the contract', async () => {
    await using server = await start();
    for (const path of Object.values(joinPaths)) {
      const { status } = await server.ask({ path, method: 'PATCH' });
      assert.equal(status, 405, path);
    }
  });

  it('tells strangers nothing of what else there is', async () => {
    await using server = await start();
    for (const path of [
      '/',
      '/v1-rfo',
      '/v1-rfo/',
      '/api',
      `${joinPaths.bootstrap}/`,
      '/v1-rfo/server-ca.key',
      '/cacerts/../server-ca.key',
      '//ping',
    ])
      for (const headers of [{}, serverToken]) {
        const reply = await server.ask({ path, headers });
        assert.deepEqual([reply.status, reply.problem], [404, { code: 'not-found', message: 'not found' }], path);
      }
  });

  it('asks for credentials before anything else', async () => {
    await using server = await start();
    for (const question of everyRoute) {
      const { status, problem, headers } = await server.ask(question);
      assert.deepEqual([status, problem?.code], [401, 'join-no-credentials'], question.path);
      assert.ok(headers['www-authenticate']);
    }
    // A body is announced that never comes: the answer does not wait for it.
    const { status } = await server.raw(`POST ${joinPaths.clientKubelet} HTTP/1.1\r\ncontent-length: 60000\r\n\r\n`);
    assert.equal(status, 401);
  });

  it('says what is wrong with a token', async () => {
    await using server = await start();
    const at = '2026-11-20T10:00:00.000Z';
    const wrong = { authorization: `Basic ${Buffer.from('server:wrong').toString('base64')}` };
    const cases: readonly [Record<string, string>, string, RegExp][] = [
      [wrong, 'join-token-wrong', /none of this cluster/],
      [{ authorization: 'Digest whatever' }, 'join-token-wrong', /none of this cluster/],
      [
        server.tokens.make('abcdef', { role: 'agent', expired: at }),
        'join-token-expired',
        new RegExp(`expired at ${at}.*rfo token create`),
      ],
      [server.tokens.make('ghijkl', { role: 'agent', uses: 0 }), 'join-token-used-up', /used as often/],
    ];
    for (const [headers, code, text] of cases) {
      const { status, problem } = await server.ask({ path: joinPaths.config, headers });
      assert.deepEqual([status, problem?.code], [401, code]);
      assert.match(problem?.message ?? '', text);
    }
  });

  it('gives each caller what is his and no more', async () => {
    await using server = await start();
    const agent = server.tokens.make('agents', { role: 'agent' });
    const further = server.tokens.make('server1', { role: 'server' });
    const node = server.nodeCertificate('agent-1');
    const allowed = async (question: Question): Promise<boolean> => {
      const { status } = await server.ask(question);
      assert.ok(status === 200 || status === 403, `${question.path}: ${status}`);
      return status === 200;
    };
    for (const path of joinerPaths) {
      for (const headers of [agentToken, serverToken, agent, further]) assert.ok(await allowed({ path, headers }), path);
      assert.ok(await allowed({ path, as: node }), path);
      assert.ok(await allowed({ path, as: server.admin() }), path);
    }
    for (const headers of [serverToken, further]) assert.ok(await allowed({ path: joinPaths.bootstrap, headers }));
    assert.ok(await allowed({ path: joinPaths.bootstrap, as: server.admin() }));
    // A server that is a node already shows both.
    assert.ok(await allowed({ path: joinPaths.bootstrap, as: node, headers: serverToken }));
    const serverRoutes = everyRoute.filter(({ path }) => path.startsWith('/v1-rfo/etcd') || path === joinPaths.bootstrap);
    assert.equal(serverRoutes.length, 5);
    for (const question of serverRoutes) {
      for (const headers of [agentToken, agent]) assert.equal(await allowed({ ...question, headers }), false);
      assert.equal(await allowed({ ...question, as: node }), false);
    }
    for (const path of administratorPaths) {
      for (const headers of [agentToken, serverToken]) assert.equal(await allowed({ path, headers }), false);
      assert.equal(await allowed({ path, as: node }), false);
      assert.ok(await allowed({ path, as: server.admin() }));
    }
    const { problem } = await server.ask({ path: joinPaths.bootstrap, headers: agentToken });
    assert.deepEqual([problem?.code, /the token of a server/.test(problem?.message ?? '')], ['join-forbidden', true]);
  });

  it('believes certificates of the client CA alone, and only while they last', async () => {
    await using server = await start({ clock: { now: () => Date.now() + 1_800_000 } });
    const masters = identity('somebody', ['system:masters']);
    const node = identity('system:node:agent-1', ['system:nodes']);
    const config = async (as: Question['as']): Promise<number> => (await server.ask({ path: joinPaths.config, as })).status;
    assert.equal(await config(server.certificate(masters)), 200);
    assert.equal(await config(server.certificate(node)), 200);
    for (const name of ['server-ca', 'request-header-ca', 'etcd/server-ca'] as const)
      for (const subject of [masters, node]) assert.equal(await config(server.certificate(subject, { signer: name })), 401, name);
    // It ends half an hour before the server's clock, and after the one of this test.
    assert.equal(await config(server.certificate(masters, { ends: Date.now() + 600_000 })), 401);
    const nobodies = [
      identity('system:node:agent-1'),
      identity('agent-1', ['system:nodes']),
      identity('system:node:', ['system:nodes']),
      [...identity('system:node:agent-1', ['system:nodes']), { type: 'CN', value: 'system:node:agent-2' } as const],
    ];
    for (const subject of nobodies) assert.equal(await config(server.certificate(subject)), 401, formatName(subject));
  });

  it('does not take a resumed connection for one with a certificate', async () => {
    await using server = await start();
    const options = { host: '127.0.0.1', port: server.port, ca: server.node.read('server-ca.crt'), ALPNProtocols: ['http/1.1'] };
    const ping = connect(options);
    const [session] = (await Promise.all([once(ping, 'session'), ask(ping, joinPaths.ping)]))[0] as [Buffer];
    const resumed = connect({ ...options, session });
    assert.match(await ask(resumed, '/healthz'), /^HTTP\/1\.1 401 /);
    assert.equal(resumed.isSessionReused(), true);
  });

  it('lets requests wait in order, and refuses what is too much', async () => {
    const members = fakeMembers();
    const free = Promise.withResolvers<void>();
    members.until = free.promise;
    await using server = await start({ members, bounds: { writesInFlight: 1, waiting: 1 } });
    const remove = (name: string) => server.ask({ path: `${joinPaths.etcdMembers}?name=${name}`, method: 'DELETE', headers: serverToken });
    const running = remove('a');
    await members.called;
    const others = ['b', 'c', 'd'].map(remove);
    const refused = await Promise.race(others);
    assert.deepEqual([refused.status, refused.problem?.code, refused.headers['retry-after']], [503, 'server-overloaded', '2']);
    // Reading goes on meanwhile.
    assert.equal((await server.ask({ path: joinPaths.config, headers: serverToken })).status, 200);
    free.resolve();
    assert.equal((await running).status, 200);
    assert.deepEqual((await Promise.all(others)).map(({ status }) => status).sort(), [200, 503, 503]);
  });

  it('gives up on what takes too long, and on who takes too long', async () => {
    const members = fakeMembers();
    members.until = new Promise(() => undefined);
    await using server = await start({ members, bounds: { handlingTime: 50, bodyTime: 50 } });
    const late = await server.ask({ path: `${joinPaths.etcdMembers}?name=a`, method: 'DELETE', headers: serverToken });
    assert.deepEqual([late.status, late.problem?.code], [503, 'timeout']);
    assert.equal(members.signal?.aborted, true);
    const head = `POST ${joinPaths.clientKubelet} HTTP/1.1\r\nauthorization: ${agentToken.authorization}\r\n`;
    const slow = await server.raw(`${head}content-length: 100\r\n\r\nonly so much`);
    assert.deepEqual([slow.status, slow.problem?.code], [408, 'request-too-slow']);
  });

  it('answers what is no request in the same form', async () => {
    await using server = await start();
    const cases: readonly [string, number][] = [
      ['hello\r\n\r\n', 400],
      [`GET /ping HTTP/1.1\r\nx: ${'a'.repeat(10_000)}\r\n\r\n`, 431],
      ['GET /ping HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', 400],
    ];
    for (const [text, status] of cases) {
      const reply = await server.raw(text);
      assert.deepEqual([reply.status, reply.problem?.code], [status, 'request-invalid']);
    }
    const pong = await server.raw('GET /ping HTTP/1.1\r\n\r\n');
    assert.equal(pong.status, 200, 'nobody has to name a host');
  });

  it('hands the connection of a node that wants a tunnel over, and no other', async () => {
    const known = new Map([['gone', false]]);
    await using server = await start({ nodeIsKnown: (name) => known.get(name) });
    const dial = (as: Question['as'], ALPNProtocols = ['rfo-tunnel']): TLSSocket =>
      connect({ host: '127.0.0.1', port: server.port, ca: server.node.read('server-ca.crt'), ALPNProtocols, ...as });
    const ours = dial(server.nodeCertificate('agent-1'), ['rfo-tunnel', 'http/1.1']);
    ours.write('from the node');
    await once(ours, 'secureConnect');
    assert.equal(ours.alpnProtocol, 'rfo-tunnel');
    for (const as of [undefined, server.admin(), server.nodeCertificate('gone'), server.certificate(identity('x', ['system:nodes']))]) {
      const refused = dial(as);
      refused.on('error', () => undefined);
      await once(refused, 'close');
    }
    assert.deepEqual(
      server.tunnels.map(({ nodeName }) => nodeName),
      ['agent-1'],
    );
    const [taken] = server.tunnels;
    assert.ok(taken);
    const [bytes] = (await once(taken.socket, 'data')) as [Buffer];
    assert.equal(bytes.toString(), 'from the node');
    taken.socket.write('from the server');
    const [answer] = (await once(ours, 'data')) as [Buffer];
    assert.equal(answer.toString(), 'from the server');
    // One that breaks does not take the server along.
    ours.destroy();
    await once(taken.socket, 'close');
    assert.equal((await server.ask({ path: joinPaths.ping })).text, 'pong');

    const unknown = dial(server.nodeCertificate('agent-1'), ['something-else']);
    const [error] = (await once(unknown, 'error')) as [Error];
    assert.match(error.message, /no.application.protocol/i);
  });

  it('shows a renewed certificate and trusts a renewed CA from then on', async () => {
    await using server = await start();
    const shown = async (): Promise<string | undefined> => {
      const socket = connect({ host: '127.0.0.1', port: server.port, ca: server.node.read('server-ca.crt') });
      await once(socket, 'secureConnect');
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber?.toLowerCase();
    };
    const before = await shown();
    const ofOldCa = server.nodeCertificate('agent-1');
    for (const file of ['client-ca.crt', 'client-ca.key']) rmSync(server.node.path(file));
    const inputs = { nodeName: 'node-1', nodeIps: [], serviceIps: [], clusterDomain: 'c', tlsSans: [], advertiseAddress: '127.0.0.1' };
    await server.node.ensure({ clock: { now: Date.now }, inputs });
    const ofNewCa = server.nodeCertificate('agent-1');
    const statuses = async (): Promise<number[]> =>
      Promise.all([ofOldCa, ofNewCa].map(async (as) => (await server.ask({ path: joinPaths.config, as })).status));
    assert.deepEqual([await shown(), await statuses()], [before, [200, 401]]);
    await server.supervisor.reloadCertificate();
    assert.deepEqual([await shown(), await statuses()], [server.node.info('serving-kube-apiserver').serial, [401, 200]]);
    assert.notEqual(await shown(), before);
  });

  it('counts requests by route and status', async () => {
    await using server = await start();
    await server.ask({ path: joinPaths.ping });
    await server.ask({ path: joinPaths.config });
    await server.ask({ path: '/nowhere-1' });
    await server.ask({ path: '/nowhere-2', method: 'TRACE' });
    const { text } = await server.ask({ path: '/metrics', as: server.admin() });
    assert.match(text, /^# of the rest\n/);
    assert.ok(text.includes('rfo_supervisor_requests_total{route="/ping",method="GET",code="200"} 1\n'));
    assert.ok(text.includes('rfo_supervisor_requests_total{route="/v1-rfo/config",method="GET",code="401"} 1\n'));
    assert.ok(text.includes('rfo_supervisor_requests_total{route="other",method="other",code="404"} 2\n'));
    await using silent = await start({ metrics: undefined });
    assert.equal((await silent.ask({ path: '/metrics', as: silent.admin() })).status, 404);
  });

  it('does not let strangers fill the log', async () => {
    await using server = await start();
    const wrong = { authorization: 'Bearer abcdef.0123456789abcdef', [joinHeaders.nodeName]: 'x y\u00e9 level=error' };
    for (let count = 0; count < 50; count++) await server.ask({ path: joinPaths.config, headers: wrong });
    const told = server.lines.filter((line) => line.includes('refused'));
    assert.equal(told.length, 20);
    assert.match(told[0] ?? '', /node="?x\?y\?+level\?error"? /);
  });

  it('tells who holds its port', async () => {
    await using server = await start();
    const failure = start({ port: server.port });
    await assert.rejects(
      failure,
      (error) => error instanceof RfoError && error.code === 'port-taken' && error.message.includes(String(server.port)),
    );
  });

  it('ends with its life, whatever is open', async () => {
    const server = await start({
      bounds: { handlingTime: 30_000 },
      members: Object.assign(fakeMembers(), { until: new Promise<void>(() => undefined) }),
    });
    const options = { host: '127.0.0.1', port: server.port, ca: server.node.read('server-ca.crt') };
    const tunnel = connect({ ...options, ALPNProtocols: ['rfo-tunnel'], ...server.nodeCertificate('agent-1') });
    const idle = connect(options);
    await Promise.all([once(tunnel, 'secureConnect'), once(idle, 'secureConnect')]);
    const waiting = server.ask({ path: `${joinPaths.etcdMembers}?name=a`, method: 'DELETE', headers: serverToken });
    const closed = [tunnel, idle].map((socket) =>
      once(
        socket.resume().on('error', () => undefined),
        'close',
      ),
    );
    waiting.catch(() => undefined);
    await server[Symbol.asyncDispose]();
    await Promise.all(closed);
    await assert.rejects(waiting);
  });
});

/** Sends one request by hand; gives the head of what comes back. */
function ask(socket: TLSSocket, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => {
      socket.end();
      resolve(data.toString());
    });
    socket.once('error', reject);
    socket.write(`GET ${path} HTTP/1.1\r\n\r\n`);
  });
}
