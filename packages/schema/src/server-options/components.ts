import { list, maybe, optionGroup, preset, toggle } from '../option.ts';
import { absolutePath, choice, componentArgument } from '../value-types.ts';

/** The add-ons that come with RFO and can be left out. */
export const packagedAddons = ['coredns', 'metrics-server'] as const;

/** Which parts run. */
export const componentOptions = optionGroup('Components', {
  'disable': list(choice(packagedAddons), {
    help: 'Packaged add-ons to leave out; what an earlier start deployed of them is removed.',
    split: true,
  }),
  'disable-etcd': toggle({ help: 'Do not run etcd: the API server uses that of the servers which this one joins.' }),
  'disable-apiserver': toggle({
    help: 'Do not run the API server, kube-controller-manager and kube-scheduler: this server runs etcd, for others that have them.',
  }),
  'disable-scheduler': toggle({ help: 'Do not run kube-scheduler.' }),
  'disable-controller-manager': toggle({ help: 'Do not run kube-controller-manager.' }),
  'disable-kube-proxy': toggle({ help: 'Do not run kube-proxy.' }),
  'disable-agent': toggle({
    help: 'Run the control plane outside the cluster: no container runtime, no kubelet, no kube-proxy, no pod network, and no Node.',
  }),
  'etcd-expose-metrics': toggle({ help: 'Serve the metrics of etcd on the address of the node too, without encryption.' }),
  'enable-pprof': toggle({ help: 'Serve profiles of the Kubernetes components.' }),
});

const argument = (component: string) =>
  list(componentArgument(), { help: `Argument for ${component}, name=value; it replaces ours of that name.`, value: 'name=value' });

/** Arguments handed to the components. */
export const argumentOptions = optionGroup('Arguments of components', {
  'etcd-arg': argument('etcd'),
  'kube-apiserver-arg': argument('kube-apiserver'),
  'kube-controller-manager-arg': argument('kube-controller-manager'),
  'kube-scheduler-arg': argument('kube-scheduler'),
  'kubelet-arg': argument('kubelet'),
  'kube-proxy-arg': argument('kube-proxy'),
});

/** Hardening. */
export const securityOptions = optionGroup('Security', {
  'profile': maybe(choice(['cis']), {
    help: 'Harden after the CIS benchmark: pods of the restricted level only, outside kube-system; protect-kernel-defaults; tokens of service accounts that are not extended.',
    unset: 'none',
  }),
  'secrets-encryption-provider': preset(choice(['aescbc', 'secretbox']), 'aescbc', {
    help: 'Cipher of secrets in etcd; after a change, what was written before stays readable.',
  }),
  'audit-policy-file': maybe(absolutePath(), { help: 'Audit policy of the API server.', path: true, unset: 'a policy that logs metadata' }),
  'pod-security-admission-config-file': maybe(absolutePath(), {
    help: 'Admission configuration with the pod security levels.',
    path: true,
    unset: 'privileged, or restricted with profile cis',
  }),
  'protect-kernel-defaults': toggle({
    help: 'Refuse to start when kernel settings differ from what kubelet wants, instead of changing them.',
  }),
  'selinux': toggle({ help: 'Label containers for SELinux.' }),
});
