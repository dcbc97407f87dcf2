import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, it } from 'node:test';
import { fail, silentLog } from '@rfo/foundation';
import { type AgentHello, agentPaths } from '@rfo/schema';
import { type CreateService, keepTunnel, readBody, type Target } from '@rfo/tunnel';
import { type Lab, type Replica, startLab, startReplica, until } from './clusters.testing.ts';

let lab: Lab;
let replica: Replica;
before(async () => {
  lab = await startLab();
  await lab.objects.settings.create({ metadata: { name: 'server-url' }, spec: { value: 'https://127.0.0.1:1' } });
  replica = await startReplica(lab);
});
after(() => lab?.life.end());

it('what an agent says of its API server leads the manager nowhere but back to that agent', async () => {
  // Something near the manager that nobody outside can reach.
  const reached: unknown[] = [];
  const inside = createServer((socket) => {
    reached.push(socket.remoteAddress);
    socket.destroy();
  });
  inside.listen(0, '127.0.0.1');
  await once(inside, 'listening');
  lab.life.defer(() => new Promise((resolve) => inside.close(resolve)));
  const { port } = inside.address() as AddressInfo;

  const { connections } = replica;
  await lab.objects.clusters.create({ metadata: { name: 'evil' }, spec: {} });
  const { url } = await connections.register('evil');
  const token = /(rfor_\w+)/.exec(url)?.[1] ?? assert.fail(url);
  const asked: Target[] = [];
  keepTunnel({
    ...{ host: '127.0.0.1', port: replica.port, tls: async () => ({ ca: lab.ca }), life: lab.life, log: silentLog },
    service: presentedBy({
      ...{ type: 'hello', protocol: 1, token, version: '1', via: 'deployment', instance: 'evil', now: Date.now(), settings: 'none' },
      apiServer: { host: '127.0.0.1', port },
      credentials: { serviceAccountToken: 'x', ca: lab.ca },
    }),
    allow: (target) => {
      asked.push(target);
      return false;
    },
    within: { connect: 20_000, greet: 20_000 },
  });
  await until(connections, 'evil', ({ connected }) => connected);
  assert.equal(connections.state('evil').apiServer, `https://127.0.0.1:${port}`);
  const signal = AbortSignal.timeout(90_000);
  await assert.rejects(connections.connect('evil', { signal }), { code: 'tunnel-refused' });
  const client = connections.clientOf('evil') ?? assert.fail('there is no client');
  await assert.rejects(client.raw({ method: 'GET', path: '/version', signal }));
  assert.ok(asked.length >= 2);
  assert.deepEqual([...new Set(asked.map((target) => `${target.host}:${target.port}`))], ['kubernetes:443']);
  assert.deepEqual(reached, []);
});

/** An agent that says this, and is content with all that it is told. */
function presentedBy(hello: AgentHello): CreateService {
  return () => {
    const welcome = Promise.withResolvers<void>();
    const answer = async (stream: ServerHttp2Stream, path: unknown): Promise<void> => {
      const said = await readBody(stream, { limit: 65_536 });
      stream.respond({ ':status': 200 }, { endStream: true });
      if (path !== agentPaths.welcome) return;
      const { accepted, reason = '', message = '' } = JSON.parse(said) as { accepted: boolean; reason?: string; message?: string };
      if (accepted) welcome.resolve();
      else welcome.reject(fail('agent-refused', { problem: message, reason }));
    };
    return {
      accepted: welcome.promise,
      serve: (stream, headers) => {
        if (headers[':path'] !== agentPaths.hello) return void answer(stream, headers[':path']);
        stream.respond({ ':status': 200 });
        stream.write(`${JSON.stringify(hello)}\n`);
      },
    };
  };
}
