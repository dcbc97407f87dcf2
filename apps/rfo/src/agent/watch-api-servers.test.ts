import assert from 'node:assert/strict';
import { EventEmitter, on, once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { Life, silentLog, systemClock } from '@rfo/foundation';
import { startLoadBalancer } from '@rfo/proxy';
import { ensureCertificates } from '../certificates/ensure.ts';
import { inputs } from '../certificates/node.testing.ts';
import { nodePaths, type Paths } from '../paths.ts';
import { reporters } from './server-health.ts';
import { watchApiServers } from './watch-api-servers.ts';

const pace = { every: 50, inDoubt: 20, failed: 50, within: 500, patience: 200 };
const timeout = 60_000;

/** What an API server says of its readiness: a status, or nothing as one does that waits for etcd. */
type Mood = number | 'silent';

describe('the watch of API servers', () => {
  let folder: string;
  let paths: Paths;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rfo-watch-api-'));
    paths = nodePaths({ dataDir: folder, runDir: join(folder, 'run'), etcDir: join(folder, 'etc') });
    await ensureCertificates({ paths, inputs: { ...inputs, nodeIps: ['127.0.0.1'] }, clock: systemClock });
  });
  after(() => rm(folder, { recursive: true }));

  const tls = (file: string): string => join(paths.server.tls, file);

  async function startApi(t: TestContext, port = 0) {
    const [cert, key, ca] = await Promise.all(
      ['serving-kube-apiserver.crt', 'serving-kube-apiserver.key', 'client-ca.crt'].map((file) => readFile(tls(file))),
    );
    const asked = new EventEmitter();
    const api = { mood: 200 as Mood };
    const server: Server = createServer({ ...{ cert, key, ca }, requestCert: true, rejectUnauthorized: true }, (incoming, response) => {
      asked.emit('asked', incoming.url);
      if (api.mood !== 'silent') response.writeHead(api.mood).end();
    });
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const stop = async (): Promise<void> => {
      if (!server.listening) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    t.after(stop);
    const { port: taken } = server.address() as AddressInfo;
    return Object.assign(api, {
      at: `127.0.0.1:${taken}`,
      port: taken,
      stop,
      untilAsked: () => once(asked, 'asked', { signal: t.signal }),
    });
  }

  /** A balancer over these servers, watched; `untilActive` waits until new connections go to that one. */
  async function setUp(t: TestContext, servers: readonly string[]) {
    const life = new Life();
    t.after(() => life.end());
    const changes = new EventEmitter();
    const onChange = (active: string | undefined): void => void changes.emit('change', active);
    const balancer = await startLoadBalancer({ listen: { host: '127.0.0.1', port: 0 }, servers, life, log: silentLog, onChange });
    const reporter = reporters(balancer);
    const files = { ca: tls('server-ca.crt'), cert: tls('client-kubelet.crt'), key: tls('client-kubelet.key') };
    const own = reporter();
    const report: typeof own = (server, health) => {
      own(server, health);
      changes.emit('report', server, health);
    };
    watchApiServers({ balancer, report, files, life, log: silentLog, pace });
    const untilActive = async (wanted: string): Promise<void> => {
      while (balancer.active() !== wanted) await once(changes, 'change', { signal: t.signal });
    };
    const untilWell = async (wanted: string): Promise<void> => {
      for await (const [server, health] of on(changes, 'report', { signal: t.signal }))
        if (server === wanted && health === 'healthy') return;
    };
    return { balancer, tunnel: reporter(), untilActive, untilWell };
  }

  it('leaves one that says that it is not ready for one that is', { timeout }, async (t) => {
    const [one, two] = [await startApi(t), await startApi(t)];
    const { balancer, untilActive } = await setUp(t, [one.at, two.at]);
    assert.equal(balancer.active(), one.at);
    assert.deepEqual(await one.untilAsked(), ['/readyz']);
    one.mood = 500;
    await untilActive(two.at);
  });

  it('leaves one that does not answer, also where its tunnel is well', { timeout }, async (t) => {
    const [one, two] = [await startApi(t), await startApi(t)];
    const { tunnel, untilActive } = await setUp(t, [one.at, two.at]);
    for (const { at } of [one, two]) tunnel(at, 'healthy');
    one.mood = 'silent';
    await untilActive(two.at);
  });

  it('stays where it is while no other is ready, and follows the first that is', { timeout }, async (t) => {
    const [one, two, three] = [await startApi(t), await startApi(t), await startApi(t)];
    const { balancer, untilActive } = await setUp(t, [one.at, two.at, three.at]);
    for (const api of [one, two, three]) api.mood = 500;
    // The others are asked when patience is over; the second time shows that the first changed nothing.
    for (let times = 0; times < 2; times++) await Promise.all([two.untilAsked(), three.untilAsked()]);
    assert.equal(balancer.active(), one.at);
    three.mood = 200;
    await untilActive(three.at);
  });

  it('trusts one again that is ready again', { timeout }, async (t) => {
    const [one, two] = [await startApi(t), await startApi(t)];
    const { balancer, untilActive } = await setUp(t, [one.at, two.at]);
    one.mood = 500;
    await untilActive(two.at);
    one.mood = 200;
    two.mood = 500;
    await untilActive(one.at);
    assert.equal(balancer.active(), one.at);
  });

  it('notices that one which refused connections takes them again', { timeout }, async (t) => {
    const [one, two] = [await startApi(t), await startApi(t)];
    const { balancer, untilActive, untilWell } = await setUp(t, [one.at, two.at]);
    await one.stop();
    await untilActive(two.at);
    const well = untilWell(one.at);
    await startApi(t, one.port);
    await well;
    assert.equal(balancer.states()[0]?.state, 'healthy');
    assert.equal(balancer.active(), two.at, 'nobody is moved back');
  });

  it('is satisfied with any answer that is no failure', { timeout }, async (t) => {
    const [one, two] = [await startApi(t), await startApi(t)];
    const { balancer } = await setUp(t, [one.at, two.at]);
    one.mood = 403;
    const begin = performance.now();
    while (performance.now() - begin < 2 * pace.patience) await one.untilAsked();
    assert.equal(balancer.active(), one.at);
  });
});

it('a balancer hears the worst that is said of a server', () => {
  const heard: string[] = [];
  const reporter = reporters({ report: (server, health) => void heard.push(`${server} ${health}`) });
  const [one, two] = [reporter(), reporter()];
  one('a', 'healthy');
  two('a', 'failed');
  one('a', 'suspect');
  two('a', 'healthy');
  two('b', 'healthy');
  one('a', 'healthy');
  assert.deepEqual(heard, ['a healthy', 'a failed', 'a failed', 'a suspect', 'b healthy', 'a healthy']);
});
