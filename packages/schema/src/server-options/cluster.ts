import { list, maybe, optionGroup, preset, toggle } from '../option.ts';
import { absolutePath, domainName, hostOrAddress, ipv4Address, ipv4Range, portRange, text } from '../value-types.ts';

/** The cluster as its clients see it: secret, addresses, names. */
export const clusterOptions = optionGroup('Cluster', {
  'token': maybe(text(), {
    help: 'Secret that servers and agents join with.',
    short: 't',
    value: 'token',
    secret: true,
    unset: 'made at the first start',
  }),
  'token-file': maybe(absolutePath(), { help: 'File that holds the token.', path: true }),
  'agent-token': maybe(text(), {
    help: 'Secret that only agents can join with.',
    value: 'token',
    secret: true,
    unset: 'the token',
  }),
  'agent-token-file': maybe(absolutePath(), { help: 'File that holds the agent token.', path: true }),
  'bind-address': preset(ipv4Address(), '0.0.0.0', { help: 'Address that the servers of this node listen on.', value: 'address' }),
  'advertise-address': maybe(ipv4Address(), {
    help: 'Address that the API server tells its clients to use.',
    value: 'address',
    unset: 'node-external-ip, else node-ip',
  }),
  'tls-san': list(hostOrAddress(), {
    help: 'Further host names and addresses in the certificate of the API server.',
    value: 'name',
    split: true,
  }),
  'authorized-endpoint': toggle({
    help: 'Let the API server know the tokens that a manager of many clusters has made for this one, so that kubectl works while that is away.',
  }),
  'write-kubeconfig': preset(absolutePath(), '/etc/rancher/rfo/rfo.yaml', {
    help: "File that the administrator's kubeconfig is written to.",
    short: 'o',
    variables: ['RFO_KUBECONFIG_OUTPUT'],
    path: true,
  }),
});

/** The address ranges of the cluster. */
export const rangeOptions = optionGroup('Address ranges', {
  'cluster-cidr': preset(ipv4Range({ maxPrefix: 28 }), '10.42.0.0/16', { help: 'Range of the addresses of pods.', value: 'range' }),
  'service-cidr': preset(ipv4Range({ maxPrefix: 28 }), '10.43.0.0/16', { help: 'Range of the addresses of services.', value: 'range' }),
  'service-node-port-range': preset(portRange(), '30000-32767', { help: 'Ports that services of type NodePort get.', value: 'range' }),
  'cluster-dns': maybe(ipv4Address(), {
    help: 'Address of the cluster DNS, within service-cidr.',
    value: 'address',
    unset: 'the tenth address of service-cidr',
  }),
  'cluster-domain': preset(domainName('a domain', 'cluster.local'), 'cluster.local', {
    help: 'Domain of the cluster DNS.',
    value: 'domain',
  }),
});
