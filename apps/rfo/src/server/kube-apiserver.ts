import { join } from 'node:path';
import { egressModeOf } from '../egress/egress-config.ts';
import { type Arguments, renderArguments, tlsCipherSuites } from './arguments.ts';
import { endpointArguments } from './authorized-endpoint.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';

/** The arguments of kube-apiserver: RKE2's, with the audit log on for everybody and what its `profile: cis` adds. */
export function kubeApiserverArguments(inputs: ServerInputs): string[] {
  const { paths, config } = inputs;
  const tls = paths.server.tls;
  const issuer = `https://kubernetes.default.svc.${config['cluster-domain']}`;
  const defaults: Arguments = {
    'advertise-address': inputs.advertiseAddress,
    'bind-address': config['bind-address'],
    'secure-port': serverPorts.apiserver,
    'allow-privileged': true,
    'anonymous-auth': false,
    'authorization-mode': 'Node,RBAC',
    'enable-bootstrap-token-auth': true,
    'enable-admission-plugins': 'NodeRestriction',
    'admission-control-config-file': config['pod-security-admission-config-file'] ?? paths.server.admissionConfig,
    'api-audiences': `${issuer},rfo`,
    'service-account-issuer': issuer,
    'service-account-key-file': join(tls, 'service.key'),
    'service-account-signing-key-file': join(tls, 'service.key'),
    'service-cluster-ip-range': config['service-cidr'],
    'service-node-port-range': config['service-node-port-range'],
    ...etcdArguments(tls),
    'client-ca-file': join(tls, 'client-ca.crt'),
    'tls-cert-file': join(tls, 'serving-kube-apiserver.crt'),
    'tls-private-key-file': join(tls, 'serving-kube-apiserver.key'),
    'tls-min-version': 'VersionTLS12',
    'tls-cipher-suites': tlsCipherSuites.join(','),
    'kubelet-certificate-authority': join(tls, 'server-ca.crt'),
    'kubelet-client-certificate': join(tls, 'client-kube-apiserver.crt'),
    'kubelet-client-key': join(tls, 'client-kube-apiserver.key'),
    'kubelet-preferred-address-types': 'InternalIP,ExternalIP,Hostname',
    ...aggregationArguments(tls),
    ...(egressModeOf(config) === 'disabled' ? {} : { 'egress-selector-config-file': paths.server.egressConfig }),
    'encryption-provider-config': paths.server.encryptionConfig,
    'encryption-provider-config-automatic-reload': true,
    ...auditArguments(inputs),
    ...endpointArguments(config, paths),
    // Without it the watches of pods, which outlive the API server, keep it from ending for a minute.
    'shutdown-watch-termination-grace-period': '1s',
    'profiling': config['enable-pprof'],
    ...(config.profile === 'cis' ? { 'service-account-extend-token-expiration': false } : {}),
    ...(config.debug ? { v: 4 } : {}),
  };
  return renderArguments(defaults, config['kube-apiserver-arg']);
}

function etcdArguments(tls: string): Arguments {
  return {
    'etcd-servers': `https://127.0.0.1:${serverPorts.etcdClient}`,
    'etcd-cafile': join(tls, 'etcd', 'server-ca.crt'),
    'etcd-certfile': join(tls, 'etcd', 'client.crt'),
    'etcd-keyfile': join(tls, 'etcd', 'client.key'),
  };
}

function aggregationArguments(tls: string): Arguments {
  return {
    'enable-aggregator-routing': true,
    'proxy-client-cert-file': join(tls, 'client-auth-proxy.crt'),
    'proxy-client-key-file': join(tls, 'client-auth-proxy.key'),
    'requestheader-allowed-names': 'system:auth-proxy',
    'requestheader-client-ca-file': join(tls, 'request-header-ca.crt'),
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-username-headers': 'X-Remote-User',
  };
}

function auditArguments({ config, paths }: ServerInputs): Arguments {
  return {
    'audit-policy-file': config['audit-policy-file'] ?? paths.server.auditPolicy,
    'audit-log-path': paths.server.auditLog,
    'audit-log-maxage': 30,
    'audit-log-maxbackup': 10,
    'audit-log-maxsize': 100,
  };
}
