// The options of the manager: flags, variables and configuration files.
import { declareOptions, type Values } from '../declaration.ts';
import { managerNamespace } from '../namespaces.ts';
import { list, maybe, optionGroup, preset, toggle } from '../option.ts';
import { absolutePath, anyPath, domainName, duration, hostOrAddress, httpsAddress, numberType, textLike } from '../value-types.ts';
import { configOption, logOptions } from './program-options.ts';

/** A certificate and its key belong together. */
const pair = {
  keys: ['tls-cert-file', 'tls-key-file'] as const,
  judge: (values: Readonly<Record<string, unknown>>) =>
    (values['tls-cert-file'] === undefined) === (values['tls-key-file'] === undefined)
      ? undefined
      : { problem: '--tls-cert-file and --tls-key-file belong together', cure: 'Give both or neither' },
};
const authority = {
  keys: ['tls-ca-file', 'tls-cert-file'] as const,
  judge: (values: Readonly<Record<string, unknown>>) =>
    values['tls-ca-file'] !== undefined && values['tls-cert-file'] === undefined
      ? { problem: 'it speaks of a certificate that is not given', cure: 'Give --tls-cert-file and --tls-key-file as well' }
      : undefined,
};

export const managerConfig = declareOptions({
  name: 'manager',
  prefix: 'RFO_MANAGER_',
  options: {
    ...optionGroup('Listening', {
      'bind-address': preset(hostOrAddress(), '0.0.0.0', { help: 'Address to listen on.', value: 'address' }),
      'https-port': preset(numberType({ min: 0, max: 65_535, whole: true }), 8443, { help: 'Port to listen on; 0: any that is free.' }),
      'server-url': maybe(httpsAddress(), {
        help: 'Address by which people and agents reach it. It becomes the setting server-url where that is not set yet.',
        value: 'address',
        unset: 'the setting server-url',
      }),
      'shutdown-delay': preset(duration(), '0', {
        help: 'How long it goes on serving after SIGTERM while it tells load balancers that it is not ready.',
        value: 'duration',
      }),
    }),
    ...optionGroup('Certificate', {
      'tls-cert-file': maybe(absolutePath(), {
        help: 'Its certificate in PEM, with those of the CAs between it and the root. Read again when it changes.',
        value: 'file',
        path: true,
        unset: 'one of its own CA',
      }),
      'tls-key-file': maybe(absolutePath(), { help: 'The private key of that certificate.', value: 'file', path: true }),
      'tls-ca-file': maybe(absolutePath(), {
        help: 'CA in PEM by which agents and kubeconfigs shall know that certificate.',
        value: 'file',
        path: true,
        unset: 'those that their hosts trust',
      }),
      'tls-san': list(hostOrAddress(), { help: 'Further name or address that its own certificate is for.', split: true }),
    }),
    ...optionGroup('Replicas', {
      'namespace': preset(domainName('the name of a namespace', managerNamespace), managerNamespace, {
        help: 'Namespace of its Secrets and Leases.',
      }),
      'replica-name': maybe(domainName('a name', 'rfo-manager-7d9f'), {
        help: 'Name of this replica, different for each.',
        value: 'name',
        unset: 'the name of the host',
      }),
      'replica-address': maybe(hostOrAddress(), {
        help: 'Address by which other replicas reach this one.',
        value: 'address',
        unset: 'there are no others',
      }),
      'replica-port': preset(numberType({ min: 0, max: 65_535, whole: true }), 8444, { help: 'Port for them; 0: any that is free.' }),
    }),
    ...optionGroup('Clusters', {
      'agent-image': preset(
        textLike(/^[a-z0-9][\w.:/@-]*$/, 'the name of an image', 'registry.example.com/cluster-agent:0.1.0'),
        'rfo.io/cluster-agent:0.1.0',
        {
          help: 'Image that imported clusters run their agent from.',
          value: 'image',
        },
      ),
    }),
    ...optionGroup('The program itself', {
      ...configOption('/etc/rancher/rfo/manager.yaml'),
      'kubeconfig': maybe(anyPath(), {
        help: 'Kubeconfig of the cluster that it runs in.',
        value: 'file',
        path: true,
        unset: 'its service account',
      }),
      'hide-password': toggle({
        help: 'Do not print the first password of the administrator, where what is printed is kept; it stands in the Secret rfo-administrator until it is changed.',
      }),
      ...logOptions,
    }),
  },
  rules: [pair, authority],
});
export type ManagerConfig = Values<typeof managerConfig>;
