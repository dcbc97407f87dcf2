import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kubeletArguments, renderKubeletConfig } from './kubelet-config.ts';
import { testInputs } from './test-inputs.ts';

describe('kubelet', () => {
  test('has this configuration on an ordinary host', () => {
    assert.deepEqual(JSON.parse(renderKubeletConfig(testInputs())), {
      kind: 'KubeletConfiguration',
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      port: 10250,
      readOnlyPort: 0,
      healthzBindAddress: '127.0.0.1',
      healthzPort: 10248,
      authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: '/tls/client-ca.crt' } },
      authorization: { mode: 'Webhook' },
      tlsCertFile: '/tls/serving-kubelet.crt',
      tlsPrivateKeyFile: '/tls/serving-kubelet.key',
      tlsMinVersion: 'VersionTLS12',
      tlsCipherSuites: [
        'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
        'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
        'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
        'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
        'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
        'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
      ],
      enableProfilingHandler: false,
      enableDebugFlagsHandler: false,
      rotateCertificates: false,
      containerRuntimeEndpoint: 'unix:///run/rfo/containerd/containerd.sock',
      staticPodPath: '/var/lib/rancher/rfo/agent/pod-manifests',
      podLogsDir: '/var/log/pods',
      volumePluginDir: '/var/lib/kubelet/volumeplugins',
      resolvConf: '/etc/resolv.conf',
      clusterDNS: ['10.43.0.10'],
      clusterDomain: 'cluster.local',
      cgroupDriver: 'systemd',
      failSwapOn: false,
      protectKernelDefaults: false,
      makeIPTablesUtilChains: true,
      serializeImagePulls: false,
      evictionHard: { 'imagefs.available': '5%', 'nodefs.available': '5%' },
      evictionMinimumReclaim: { 'imagefs.available': '10%', 'nodefs.available': '10%' },
      mergeDefaultEvictionSettings: true,
    });
  });

  test('follows what the host lacks', () => {
    const host = {
      cgroup: 'v1',
      cgroupDriver: 'cgroupfs',
      canRaiseOom: false,
      iptables: { ok: false, why: 'iptables is not installed' },
    } as const;
    const config = JSON.parse(renderKubeletConfig(testInputs({ host })));
    assert.equal(config.failCgroupV1, false);
    assert.equal(config.cgroupDriver, 'cgroupfs');
    assert.equal(config.oomScoreAdj, 0);
    assert.equal(config.makeIPTablesUtilChains, false);
  });

  test('registers with the taints that are configured, and protects the kernel with profile cis', () => {
    const config = JSON.parse(
      renderKubeletConfig(testInputs({ config: { 'node-taint': ['dedicated=db:NoSchedule', 'slow:NoExecute'], 'profile': 'cis' } })),
    );
    assert.deepEqual(config.registerWithTaints, [
      { key: 'dedicated', value: 'db', effect: 'NoSchedule' },
      { key: 'slow', effect: 'NoExecute' },
    ]);
    assert.equal(config.protectKernelDefaults, true);
  });

  test("has these arguments, the administrator's last", () => {
    const inputs = testInputs({
      config: { 'node-label': ['disk=ssd', 'zone=a'], 'kubelet-arg': ['max-pods=250', '--root-dir=/srv/kubelet'] },
    });
    assert.deepEqual(kubeletArguments(inputs), [
      '--config-dir=/var/lib/rancher/rfo/agent/etc/kubelet.conf.d',
      '--kubeconfig=/var/lib/rancher/rfo/server/cred/kubelet.kubeconfig',
      '--cert-dir=/var/lib/kubelet/pki',
      '--hostname-override=node-1',
      '--node-ip=192.0.2.11',
      '--node-labels=disk=ssd,zone=a',
      '--max-pods=250',
      '--root-dir=/srv/kubelet',
    ]);
  });
});
