import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseFlannelSubnet, renderCniConfig } from './cni-config.ts';
import { flannelArguments, renderFlannelNetConf } from './flannel.ts';
import { kubeProxyArguments, kubeProxyHealth } from './kube-proxy-config.ts';
import { networkOf } from './network-address.ts';
import { testInputs } from './test-inputs.ts';

const oldHost = { nftables: { ok: false, why: 'Linux 5.10' }, conntrackWritable: false, canRaiseOom: false } as const;

describe('kube-proxy', () => {
  test('has these arguments on an ordinary host', () => {
    assert.deepEqual(kubeProxyArguments(testInputs({ config: { 'kube-proxy-arg': ['v=2'] } })), [
      '--kubeconfig=/var/lib/rancher/rfo/server/cred/kube-proxy.kubeconfig',
      '--hostname-override=node-1',
      '--proxy-mode=nftables',
      '--cluster-cidr=10.42.0.0/16',
      '--healthz-bind-address=127.0.0.1:10256',
      '--metrics-bind-address=127.0.0.1:10249',
      '--nodeport-addresses=0.0.0.0/0',
      '--iptables-min-sync-period=100ms',
      '--kube-api-qps=50',
      '--kube-api-burst=100',
      '--profiling=false',
      '--v=2',
    ]);
  });

  test('uses iptables where nftables does not work, and leaves alone what it may not set', () => {
    const args = kubeProxyArguments(testInputs({ host: oldHost }));
    for (const wanted of [
      '--proxy-mode=iptables',
      '--iptables-localhost-nodeports=false',
      '--conntrack-max-per-core=0',
      '--oom-score-adj=0',
    ]) {
      assert.ok(args.includes(wanted), wanted);
    }
  });

  test('is asked for its health where the administrator put it', () => {
    const of = (...args: string[]) => kubeProxyHealth({ 'kube-proxy-arg': args });
    assert.deepEqual(of(), { host: '127.0.0.1', port: 10256 });
    assert.deepEqual(of('--healthz-bind-address=0.0.0.0:20256'), { host: '127.0.0.1', port: 20256 });
    assert.deepEqual(of('healthz-bind-address=192.0.2.11'), { host: '192.0.2.11', port: 10256 });
    assert.equal(of('healthz-bind-address='), undefined);
  });
});

describe('flannel', () => {
  test('is told its network, backend and what to write rules with', () => {
    assert.equal(renderFlannelNetConf(testInputs()), '{"Network":"10.42.0.0/16","EnableNFTables":true,"Backend":{"Type":"vxlan"}}\n');
    assert.equal(
      renderFlannelNetConf(testInputs({ host: oldHost, config: { 'cluster-cidr': '172.20.0.0/14', 'flannel-backend': 'host-gw' } })),
      '{"Network":"172.20.0.0/14","EnableNFTables":false,"Backend":{"Type":"host-gw"}}\n',
    );
  });

  test('has these arguments', () => {
    assert.deepEqual(flannelArguments(testInputs()), [
      '--kube-subnet-mgr',
      '--kubeconfig-file=/var/lib/rancher/rfo/server/cred/flannel.kubeconfig',
      '--iface=192.0.2.11',
      '--ip-masq',
      '--net-config-path=/var/lib/rancher/rfo/agent/etc/flannel/net-conf.json',
      '--subnet-file=/run/rfo/flannel/subnet.env',
      '--healthz-port=0',
    ]);
    const without = testInputs({ config: { 'flannel-iface': 'eth1' }, host: { overlayIp: undefined } });
    assert.ok(flannelArguments(without).includes('--iface=eth1'));
  });
});

describe('CNI configuration', () => {
  const complete = 'FLANNEL_NETWORK=10.42.0.0/16\nFLANNEL_SUBNET=10.42.3.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n';

  test('waits for the last line of the subnet file', () => {
    assert.deepEqual(parseFlannelSubnet(complete), { network: '10.42.0.0/16', subnet: '10.42.3.1/24', mtu: 1450 });
    assert.equal(parseFlannelSubnet(complete.slice(0, complete.indexOf('FLANNEL_IPMASQ'))), undefined);
    assert.equal(parseFlannelSubnet(''), undefined);
  });

  test('is a bridge with the subnet of the node, and host ports', () => {
    assert.deepEqual(JSON.parse(renderCniConfig({ network: '10.42.0.0/16', subnet: '10.42.3.1/24', mtu: 1450 }, testInputs())), {
      cniVersion: '1.0.0',
      name: 'cbr0',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          mtu: 1450,
          isGateway: true,
          isDefaultGateway: true,
          forceAddress: true,
          ipMasq: false,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: '/var/lib/rancher/rfo/agent/cni',
            ranges: [[{ subnet: '10.42.3.0/24' }]],
            routes: [{ dst: '10.42.0.0/16' }],
          },
        },
        { type: 'portmap', capabilities: { portMappings: true }, backend: 'nftables' },
      ],
    });
  });

  test('finds the network of an address', () => {
    assert.equal(networkOf('10.42.3.1/24'), '10.42.3.0/24');
    assert.equal(networkOf('192.168.255.255/12'), '192.160.0.0/12');
    assert.equal(networkOf('255.255.255.255/1'), '128.0.0.0/1');
    assert.equal(networkOf('10.0.0.7/32'), '10.0.0.7/32');
  });
});
