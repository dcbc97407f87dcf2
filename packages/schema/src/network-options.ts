// The options of the commands that render for the network and for the host's service manager. Flags alone; they run anywhere, without a node.
import { declareOptions, type Rule } from './declaration.ts';
import { list, maybe, optionGroup, preset, type Shape, toggle } from './option.ts';
import { absolutePath, choice, hostOrAddress, numberType, port, text, textLike } from './value-types.ts';

const from = ['command-line'] as const;
const debug = { 'debug': toggle({ help: 'Show where an error came from.', from }) };

/** The minor versions of Cilium whose objects are known. */
export const ciliumVersions = ['1.16', '1.17', '1.18', '1.19', '1.20'] as const;
export type CiliumVersion = (typeof ciliumVersions)[number];

/** What of Cilium beyond the network can be left out of the values. */
const ciliumExtras = ['gateway-api', 'ingress', 'hubble', 'dashboards', 'service-monitors'] as const;

const file = maybe(text(), { help: 'The declaration; - for the standard input.', short: 'f', value: 'file', path: true, from });
const output = preset(text(), '-', { help: 'File to write; - for the standard output.', short: 'o', value: 'file', path: true, from });
const ciliumVersion = preset(choice(ciliumVersions), '1.20', { help: 'Version of Cilium that is to read it.', from });

export const bgpRenderConfig = declare('network bgp render', { 'file': file, 'cilium-version': ciliumVersion, 'output': output });

export const ciliumValuesConfig = declare('network cilium values', {
  'file': file,
  'cilium-version': ciliumVersion,
  'api-server': maybe(hostOrAddress(), {
    help: 'Name or address by which nodes reach the API server.',
    value: 'host',
    unset: "the declaration's cluster.apiServer",
    from,
  }),
  'api-port': maybe(port(), { help: 'Its port.', unset: "the declaration's cluster.apiPort, 6443", from }),
  'cluster-name': maybe(textLike(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'a name of a cluster', 'default'), {
    help: 'Name of the cluster.',
    unset: "the declaration's cluster.name, default",
    from,
  }),
  'pod-cidr': maybe(text(), { help: 'Addresses of pods.', value: 'range', unset: "the declaration's cluster.podCIDR", from }),
  'ipam': preset(choice(['cluster-pool', 'kubernetes']), 'cluster-pool', {
    help: 'Who gives nodes their part of it: Cilium, or Kubernetes, which lets API servers follow it through the tunnels of nodes.',
    from,
  }),
  'leave-out': list(choice(ciliumExtras), { help: 'What not to switch on.', split: true, from }),
  'output': output,
});

const serviceOptions = {
  'format': preset(choice(['systemd', 'smf']), 'systemd', { help: 'Service manager: systemd, or SMF of illumos.', from }),
  'role': preset(choice(['server', 'agent', 'ca']), 'server', { help: 'What runs.', from }),
  'disable-agent': toggle({ help: 'The server stands outside the cluster: a control plane without pods; with role server.', from }),
  'program': preset(absolutePath(), '/usr/local/bin/rfo', { help: 'The program.', path: true, from }),
  'argument': list(textLike(/^[^\s"'\\$%;|&<>`]+$/, 'an argument without blanks and quotes', '--debug'), {
    help: 'Argument for it, after the role.',
    value: 'text',
    from,
  }),
  'ca-dir': preset(absolutePath(), '/var/lib/rancher/rfo/ca', { help: 'Folder of the CA; with role ca.', path: true, from }),
  'stop-timeout': maybe(numberType({ min: 10, max: 3600, whole: true }), {
    help: 'Seconds that it has to end.',
    value: 'seconds',
    unset: '90, of the CA 30',
    from,
  }),
  'method': toggle({ help: 'With format smf, write the method script instead of the manifest.', from }),
  'output-dir': maybe(text(), { help: 'Folder to write all files to.', value: 'folder', path: true, unset: 'the standard output', from }),
};

export const serviceRenderConfig = declare('service render', serviceOptions, [
  only('disable-agent', 'role', 'server'),
  only('ca-dir', 'role', 'ca', '/var/lib/rancher/rfo/ca'),
  only('method', 'format', 'smf'),
]);

/** For the reference. */
export const networkCommandConfigs = [bgpRenderConfig, ciliumValuesConfig, serviceRenderConfig];

function declare<S extends Shape>(name: string, options: S, rules: readonly Rule[] = []) {
  return declareOptions({ name, options: { ...optionGroup('Flags', options), ...optionGroup('Diagnosis', debug) }, rules });
}

/** An option that has a meaning with one value of another alone. */
function only(key: string, other: string, value: string, initial: unknown = false): Rule {
  return {
    keys: [key, other],
    judge: (config: Readonly<Record<string, unknown>>) =>
      config[key] === initial || config[other] === value
        ? undefined
        : { problem: `it has no meaning with ${other} ${String(config[other])}`, cure: `Leave it out, or give --${other} ${value}` },
  };
}
