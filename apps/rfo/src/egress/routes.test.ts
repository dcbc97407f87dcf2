import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EgressMode } from './egress-config.ts';
import { buildRoutes, decide, type NodeFacts } from './routes.ts';

const node = (name: string, number: number, more: Partial<NodeFacts> = {}): NodeFacts => ({
  name,
  addresses: [`192.0.2.${number}`, `${name}.example`],
  podCidrs: [`10.42.${number}.0/24`],
  kubeletPort: 10250,
  ...more,
});
const nodes = [
  node('server-1', 1),
  node('agent-1', 2),
  node('agent-2', 3, { kubeletPort: 11250, addresses: ['192.0.2.3', '2001:db8::3'] }),
];

/** `direct`, or who is asked for what. */
function way(mode: Exclude<EgressMode, 'auto'>, host: string, port: number, of = nodes): string {
  const route = decide(buildRoutes(of), { target: { host, port }, mode, ownNode: 'server-1' });
  return route.via === 'direct' ? 'direct' : `${route.node} ${route.ask.host} ${route.ask.port}`;
}

describe('in mode agent', () => {
  it('kubelets are reached through their tunnels, on the loopback of the node', () => {
    assert.equal(way('agent', '192.0.2.2', 10250), 'agent-1 127.0.0.1 10250');
    assert.equal(way('agent', 'agent-1.example', 10250), 'agent-1 127.0.0.1 10250');
    assert.equal(way('agent', '192.0.2.2', 10010), 'agent-1 127.0.0.1 10010');
    assert.equal(way('agent', '192.0.2.3', 11250), 'agent-2 127.0.0.1 11250');
    assert.equal(way('agent', '2001:DB8:0::3', 11250), 'agent-2 127.0.0.1 11250');
  });

  it('everything else is dialled directly', () => {
    assert.equal(way('agent', '192.0.2.3', 10250), 'direct');
    assert.equal(way('agent', '192.0.2.2', 9100), 'direct');
    assert.equal(way('agent', '192.0.2.99', 10250), 'direct');
    assert.equal(way('agent', '10.42.2.7', 8443), 'direct');
    assert.equal(way('agent', 'hooks.example.com', 443), 'direct');
  });
});

for (const mode of ['pod', 'cluster'] as const) {
  describe(`in mode ${mode}`, () => {
    it('pods are reached through the node that owns their range, kubelets as in mode agent', () => {
      assert.equal(way(mode, '10.42.2.7', 8443), 'agent-1 10.42.2.7 8443');
      assert.equal(way(mode, '10.42.3.7', 443), 'agent-2 10.42.3.7 443');
      assert.equal(way(mode, '192.0.2.2', 10250), 'agent-1 127.0.0.1 10250');
    });

    it('addresses that no node owns are dialled directly', () => {
      assert.equal(way(mode, '10.42.9.7', 8443), 'direct');
      assert.equal(way(mode, '203.0.113.1', 443), 'direct');
    });
  });
}

it("reaches what runs on the server's own node directly in every mode", () => {
  for (const mode of ['agent', 'pod', 'cluster'] as const) {
    assert.equal(way(mode, '192.0.2.1', 10250), 'direct');
    assert.equal(way(mode, '10.42.1.7', 8443), 'direct');
  }
});

it('dials everything directly when disabled', () => {
  assert.equal(way('disabled', '192.0.2.2', 10250), 'direct');
  assert.equal(way('disabled', '10.42.2.7', 8443), 'direct');
});

it('gives an address that two nodes claim to the newer one', () => {
  const replaced = [node('new', 2), node('old', 2), node('server-1', 1)];
  assert.equal(way('agent', '192.0.2.2', 10250, replaced), 'new 127.0.0.1 10250');
  assert.equal(way('pod', '10.42.2.7', 443, replaced), 'new 10.42.2.7 443');
});
