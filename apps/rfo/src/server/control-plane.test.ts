import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfigOf } from '@rfo/schema';
import { nodePaths } from '../paths.ts';
import { etcdArguments } from './etcd.ts';
import type { ServerInputs } from './inputs.ts';
import { kubeApiserverArguments } from './kube-apiserver.ts';
import { kubeControllerManagerArguments } from './kube-controller-manager.ts';
import { kubeSchedulerArguments } from './kube-scheduler.ts';

const inputs: ServerInputs = {
  config: serverConfigOf(),
  paths: nodePaths({ dataDir: '/d', runDir: '/r', etcDir: '/e' }),
  nodeName: 'one',
  nodeIp: '10.0.0.1',
  advertiseAddress: '10.0.0.1',
  kubernetesServiceIp: '10.43.0.1',
  clusterDns: '10.43.0.10',
};
const suites = [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
].join(',');

test('the arguments of etcd', () => {
  assert.deepEqual(etcdArguments(inputs), [
    '--name=one',
    '--data-dir=/d/server/db/etcd',
    '--listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379',
    '--listen-client-http-urls=https://127.0.0.1:2382',
    '--advertise-client-urls=https://10.0.0.1:2379',
    '--listen-peer-urls=https://127.0.0.1:2380,https://10.0.0.1:2380',
    '--initial-advertise-peer-urls=https://10.0.0.1:2380',
    '--initial-cluster=one=https://10.0.0.1:2380',
    '--initial-cluster-state=new',
    '--listen-metrics-urls=http://127.0.0.1:2381',
    '--client-cert-auth=true',
    '--trusted-ca-file=/d/server/tls/etcd/server-ca.crt',
    '--cert-file=/d/server/tls/etcd/server-client.crt',
    '--key-file=/d/server/tls/etcd/server-client.key',
    '--peer-client-cert-auth=true',
    '--peer-trusted-ca-file=/d/server/tls/etcd/peer-ca.crt',
    '--peer-cert-file=/d/server/tls/etcd/peer-server-client.crt',
    '--peer-key-file=/d/server/tls/etcd/peer-server-client.key',
    `--cipher-suites=${suites}`,
    '--heartbeat-interval=60',
    '--election-timeout=300',
    '--snapshot-count=10000',
    '--quota-backend-bytes=8589934592',
    '--feature-gates=InitialCorruptCheck=true',
    '--logger=zap',
    '--log-level=warn',
  ]);
});

test('the arguments of kube-apiserver', () => {
  assert.deepEqual(kubeApiserverArguments(inputs), [
    '--advertise-address=10.0.0.1',
    '--bind-address=0.0.0.0',
    '--secure-port=6443',
    '--allow-privileged=true',
    '--anonymous-auth=false',
    '--authorization-mode=Node,RBAC',
    '--enable-bootstrap-token-auth=true',
    '--enable-admission-plugins=NodeRestriction',
    '--admission-control-config-file=/d/server/etc/admission-control-config.yaml',
    '--api-audiences=https://kubernetes.default.svc.cluster.local,rfo',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--service-account-key-file=/d/server/tls/service.key',
    '--service-account-signing-key-file=/d/server/tls/service.key',
    '--service-cluster-ip-range=10.43.0.0/16',
    '--service-node-port-range=30000-32767',
    '--etcd-servers=https://127.0.0.1:2379',
    '--etcd-cafile=/d/server/tls/etcd/server-ca.crt',
    '--etcd-certfile=/d/server/tls/etcd/client.crt',
    '--etcd-keyfile=/d/server/tls/etcd/client.key',
    '--client-ca-file=/d/server/tls/client-ca.crt',
    '--tls-cert-file=/d/server/tls/serving-kube-apiserver.crt',
    '--tls-private-key-file=/d/server/tls/serving-kube-apiserver.key',
    '--tls-min-version=VersionTLS12',
    `--tls-cipher-suites=${suites}`,
    '--kubelet-certificate-authority=/d/server/tls/server-ca.crt',
    '--kubelet-client-certificate=/d/server/tls/client-kube-apiserver.crt',
    '--kubelet-client-key=/d/server/tls/client-kube-apiserver.key',
    '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
    '--enable-aggregator-routing=true',
    '--proxy-client-cert-file=/d/server/tls/client-auth-proxy.crt',
    '--proxy-client-key-file=/d/server/tls/client-auth-proxy.key',
    '--requestheader-allowed-names=system:auth-proxy',
    '--requestheader-client-ca-file=/d/server/tls/request-header-ca.crt',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    '--egress-selector-config-file=/d/server/etc/egress-selector.json',
    '--encryption-provider-config=/d/server/cred/encryption-config.json',
    '--encryption-provider-config-automatic-reload=true',
    '--audit-policy-file=/d/server/etc/audit-policy.yaml',
    '--audit-log-path=/d/server/logs/audit.log',
    '--audit-log-maxage=30',
    '--audit-log-maxbackup=10',
    '--audit-log-maxsize=100',
    '--shutdown-watch-termination-grace-period=1s',
    '--profiling=false',
  ]);
});

test('the arguments of kube-controller-manager', () => {
  assert.deepEqual(kubeControllerManagerArguments(inputs), [
    '--bind-address=127.0.0.1',
    '--secure-port=10257',
    '--kubeconfig=/d/server/cred/controller.kubeconfig',
    '--authentication-kubeconfig=/d/server/cred/controller.kubeconfig',
    '--authorization-kubeconfig=/d/server/cred/controller.kubeconfig',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    '--tls-cert-file=/d/server/tls/kube-controller-manager/kube-controller-manager.crt',
    '--tls-private-key-file=/d/server/tls/kube-controller-manager/kube-controller-manager.key',
    '--tls-min-version=VersionTLS12',
    `--tls-cipher-suites=${suites}`,
    '--profiling=false',
    '--controllers=*,tokencleaner',
    '--allocate-node-cidrs=true',
    '--cluster-cidr=10.42.0.0/16',
    '--service-cluster-ip-range=10.43.0.0/16',
    '--use-service-account-credentials=true',
    '--service-account-private-key-file=/d/server/tls/service.key',
    '--root-ca-file=/d/server/tls/server-ca.crt',
    '--cluster-signing-kube-apiserver-client-cert-file=/d/server/tls/client-ca.crt',
    '--cluster-signing-kube-apiserver-client-key-file=/d/server/tls/client-ca.key',
    '--cluster-signing-kubelet-client-cert-file=/d/server/tls/client-ca.crt',
    '--cluster-signing-kubelet-client-key-file=/d/server/tls/client-ca.key',
    '--cluster-signing-kubelet-serving-cert-file=/d/server/tls/server-ca.crt',
    '--cluster-signing-kubelet-serving-key-file=/d/server/tls/server-ca.key',
    '--cluster-signing-legacy-unknown-cert-file=/d/server/tls/client-ca.crt',
    '--cluster-signing-legacy-unknown-key-file=/d/server/tls/client-ca.key',
    '--terminated-pod-gc-threshold=1000',
  ]);
});

test('the arguments of kube-scheduler', () => {
  assert.deepEqual(kubeSchedulerArguments(inputs), [
    '--bind-address=127.0.0.1',
    '--secure-port=10259',
    '--kubeconfig=/d/server/cred/scheduler.kubeconfig',
    '--authentication-kubeconfig=/d/server/cred/scheduler.kubeconfig',
    '--authorization-kubeconfig=/d/server/cred/scheduler.kubeconfig',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    '--tls-cert-file=/d/server/tls/kube-scheduler/kube-scheduler.crt',
    '--tls-private-key-file=/d/server/tls/kube-scheduler/kube-scheduler.key',
    '--tls-min-version=VersionTLS12',
    `--tls-cipher-suites=${suites}`,
    '--profiling=false',
  ]);
});

test('debugging raises what they log', () => {
  const loud = { ...inputs, config: serverConfigOf({ debug: true }) };
  assert.ok(etcdArguments(loud).includes('--log-level=debug'));
  for (const render of [kubeApiserverArguments, kubeControllerManagerArguments, kubeSchedulerArguments])
    assert.ok(render(loud).includes('--v=4'));
});
