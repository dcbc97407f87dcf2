import assert from 'node:assert/strict';
import { EventEmitter, on, once } from 'node:events';
import { text } from 'node:stream/consumers';
import { after, before, describe, it, type TestContext } from 'node:test';
import { createLog, Life, retry, silentLog } from '@rfo/foundation';
import { startTestCluster, type TestCluster } from '@rfo/kube';
import { startLoadBalancer } from '@rfo/proxy';
import type { Tunnel } from '@rfo/tunnel';
import { listenTcp, startTestServer } from '../egress/nodes.testing.ts';
import type { ServerList } from './track-servers.ts';
import { type TunnelInputs, tunnelsComponent } from './tunnels.ts';

const hosts = ['127.0.0.1', '127.0.0.2'] as const;

describe('the tunnels of a node', () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster.stop());

  /** Two servers and a node whose kubelet echoes. */
  async function setUp(t: TestContext, change: Partial<TunnelInputs> = {}) {
    const registered = new EventEmitter();
    const register = (_: string, tunnel: Tunnel, host: string): void => void registered.emit(host, tunnel);
    const server = await startTestServer(t, { hosts, register });
    const kubeletPort = await listenTcp(t, (socket) => void socket.pipe(socket));
    const lines: string[] = [];
    const servers = listOf(hosts);
    const inputs: TunnelInputs = {
      ...{ nodeName: 'agent-1', nodeIps: ['192.0.2.9'], kubeletPort, mode: 'agent', clusterCidr: '127.9.0.0/16', balancers: [], servers },
      ...{ port: server.port, files: await server.filesOf('agent-1'), client: cluster.client },
      ...change,
    };
    const start = async (): Promise<void> => {
      const log = createLog({ write: (line) => void lines.push(line) });
      await tunnelsComponent(inputs).run({ life: server.life.child(), log, note: () => undefined });
    };
    /** The next tunnel that the server of that address gets. */
    const tunnelTo = async (host: string): Promise<Tunnel> => (await once(registered, host, { signal: t.signal }))[0];
    return { ...server, kubeletPort, lines, servers, start, tunnelTo };
  }

  it('lead to every server but the node itself, and each server to the kubelet alone', async (t) => {
    const { start, tunnelTo, kubeletPort, lines } = await setUp(t, { servers: listOf(['127.0.0.3', ...hosts]), nodeIps: ['127.0.0.3'] });
    const both = Promise.all(hosts.map(tunnelTo));
    await start();
    for (const tunnel of await both) {
      const stream = await tunnel.connect({ host: '127.0.0.1', port: kubeletPort });
      stream.end('hello');
      assert.equal(await text(stream), 'hello');
      await assert.rejects(tunnel.connect({ host: '127.0.0.1', port: 22 }), { code: 'tunnel-refused' });
      await assert.rejects(tunnel.connect({ host: '127.9.0.7', port: 80 }), { code: 'tunnel-refused' });
    }
    assert.deepEqual(
      lines.filter((line) => line.includes('127.0.0.3')),
      [],
    );
  });

  it('follow the servers that appear and vanish', async (t) => {
    const servers = listOf(['127.0.0.1']);
    const { start, tunnelTo } = await setUp(t, { servers });
    const first = tunnelTo('127.0.0.1');
    await start();
    const second = tunnelTo('127.0.0.2');
    servers.set(hosts);
    await second;
    servers.set(['127.0.0.2']);
    await (await first).closed;
    await assert.rejects((await first).connect({ host: '127.0.0.1', port: 1 }), { code: 'tunnel-closed' });
    const again = tunnelTo('127.0.0.1');
    servers.set(hosts);
    await again;
  });

  it('come back when they break', async (t) => {
    const { start, tunnelTo, breakAll } = await setUp(t);
    const both = Promise.all(hosts.map(tunnelTo));
    await start();
    await both;
    const next = Promise.all(hosts.map(tunnelTo));
    breakAll();
    await next;
  });

  it('tell the load balancers when a server goes, before anybody has tried it', async (t) => {
    const life = new Life();
    t.after(() => life.end());
    const changes = new EventEmitter();
    const balancers: { port: number; balancer: Awaited<ReturnType<typeof startLoadBalancer>> }[] = [];
    const { start, tunnelTo, port, stop } = await setUp(t, { balancers });
    const onChange = (active: string | undefined): void => void changes.emit('active', active);
    const listen = { host: '127.0.0.1', port: 0 };
    const balancer = await startLoadBalancer({ listen, servers: hosts.map((host) => `${host}:${port}`), life, log: silentLog, onChange });
    balancers.push({ port, balancer });
    const both = Promise.all(hosts.map(tunnelTo));
    await start();
    await both;
    assert.equal(balancer.active(), `127.0.0.1:${port}`);
    const active = on(changes, 'active', { signal: t.signal });
    stop('127.0.0.1');
    for await (const [name] of active) if (name === `127.0.0.2:${port}`) break;
    assert.equal(balancer.active(), `127.0.0.2:${port}`);
  });

  it('let servers reach the pods of the node in mode pod as soon as the node knows its range', async (t) => {
    const { start, tunnelTo } = await setUp(t, { mode: 'pod' });
    const pod = { host: '127.9.1.7', port: await listenTcp(t, (socket) => void socket.end('pod'), '127.9.1.7') };
    const first = tunnelTo('127.0.0.1');
    await start();
    const tunnel = await first;
    await assert.rejects(tunnel.connect(pod), { code: 'tunnel-refused' });
    await cluster.client.create({
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'agent-1' } },
      spec: { podCIDR: '127.9.1.0/24', podCIDRs: ['127.9.1.0/24'] },
    });
    const stream = await retry(() => tunnel.connect(pod), { initial: 10, max: 200, signal: t.signal });
    assert.equal(await text(stream), 'pod');
    await assert.rejects(tunnel.connect({ host: '127.9.2.7', port: pod.port }), { code: 'tunnel-refused' });
  });
});

/** A list that the test sets. */
function listOf(initial: readonly string[]): ServerList & { readonly set: (servers: readonly string[]) => void } {
  const events = new EventEmitter();
  let servers = initial;
  return {
    current: () => servers,
    onChange: (listener) => {
      events.on('change', listener);
      return () => events.off('change', listener);
    },
    set: (next) => {
      servers = next;
      events.emit('change', next);
    },
  };
}
