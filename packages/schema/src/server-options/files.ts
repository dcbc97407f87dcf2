import { maybe, optionGroup, preset, toggle } from '../option.ts';
import { absolutePath, choice, fileMode, numberType, text } from '../value-types.ts';

/** Where things are kept, and how `rfo` itself behaves. */
export const fileOptions = optionGroup('Files and the program itself', {
  'config': maybe(text(), {
    help: 'Configuration file or http(s) address; the files of <config>.d/*.yaml are read after it.',
    short: 'c',
    variables: ['RFO_CONFIG_FILE'],
    value: 'file',
    path: true,
    unset: '/etc/rancher/rfo/config.yaml',
    from: ['command-line', 'environment'],
  }),
  'data-dir': preset(absolutePath(), '/var/lib/rancher/rfo', {
    help: 'Folder of everything that outlives a reboot.',
    short: 'd',
    path: true,
  }),
  'run-dir': preset(absolutePath(), '/run/rfo', { help: 'Folder of sockets and records that do not outlive a reboot.', path: true }),
  'write-kubeconfig-mode': preset(fileMode(), '0600', {
    help: 'Mode of the kubeconfig.',
    value: 'mode',
    variables: ['RFO_KUBECONFIG_MODE'],
  }),
  'write-kubeconfig-group': maybe(text(), {
    help: 'Group that owns the kubeconfig.',
    value: 'group',
    variables: ['RFO_KUBECONFIG_GROUP'],
    unset: 'the group of the process',
  }),
  'certificate-renewal-ratio': preset(numberType({ min: 0.05, max: 0.95, whole: false }), 0.33, {
    help: 'Part of its life that a certificate has left when it is renewed.',
    value: 'ratio',
  }),
  'supervisor-metrics': toggle({ help: 'Serve the metrics of RFO itself on the port of the supervisor.' }),
  'log-format': preset(choice(['text', 'json']), 'text', { help: 'Form of the log.' }),
  'debug': toggle({ help: 'Log more, and show where an error came from.' }),
});
