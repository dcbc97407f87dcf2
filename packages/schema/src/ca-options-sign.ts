// The options of `rfo ca sign` and `rfo ca gencert`: those of cfssl under the same names, with one dash or two.
import { caJoinConfig } from './ca-join-options.ts';
import {
  caAuditConfig,
  caCrlConfig,
  caDebug,
  caFolder,
  caInfoConfig,
  caInitConfig,
  caListConfig,
  caOcspConfig,
  caRevokeConfig,
  caRotateConfig,
  caTokenCreateConfig,
  caTokenDeleteConfig,
  caTokenListConfig,
} from './ca-options.ts';
import { caCompat, caFiles, caRemoteFiles, caServeConfig, logLevel } from './ca-options-serve.ts';
import { type AnyDeclaration, declareOptions, type Values } from './declaration.ts';
import { list, maybe, optionGroup, preset, type Shape, toggle } from './option.ts';
import { text } from './value-types.ts';

const from = ['command-line'] as const;

const signing = {
  'profile': maybe(text(), { help: 'Profile of the configuration.', unset: 'the default one', from }),
  'hostname': list(text(), { help: 'Names and addresses of the certificate, in the place of those asked for.', split: true, from }),
  'label': maybe(text(), { help: 'Key of the remote CA to sign with.', from }),
  'remote': maybe(text(), { help: 'CFSSL server that signs.', value: 'address', from }),
};

export const caSignConfig = declare('ca sign', {
  'csr': maybe(text(), { help: 'File of the signing request; or as an argument.', value: 'file', path: true, from }),
  'subject': maybe(text(), { help: 'File of a subject (JSON) in the place of the one asked for.', value: 'file', path: true, from }),
  ...signing,
});
export type CaSignConfig = Values<typeof caSignConfig>;

export const caGencertConfig = declare('ca gencert', {
  'initca': toggle({ help: 'Make a self-signed CA.', from }),
  'cn': maybe(text(), { help: 'Common name, in the place of that in the file.', from }),
  ...signing,
});
export type CaGencertConfig = Values<typeof caGencertConfig>;

/** Every command of the CA, in the order of its reference. */
export const caCommandConfigs: readonly Pick<AnyDeclaration, 'name' | 'infos' | 'oneDash'>[] = [
  ...[
    caInitConfig,
    caServeConfig,
    caSignConfig,
    caGencertConfig,
    caRevokeConfig,
    caCrlConfig,
    caOcspConfig,
    caListConfig,
    caAuditConfig,
    caInfoConfig,
  ],
  ...[caRotateConfig, caTokenCreateConfig, caTokenListConfig, caTokenDeleteConfig, caJoinConfig],
];

function declare<S extends Shape>(name: string, options: S) {
  return declareOptions({
    name,
    prefix: 'RFO_CA_',
    oneDash: true,
    options: {
      ...optionGroup('Flags', options),
      ...optionGroup('Which CA', {
        ...caFolder,
        ...caFiles,
        ...caRemoteFiles,
        ...caCompat,
        'loglevel': preset(logLevel, 1, { help: '0: debug, 1: info, 2: warning, 3 to 5: error.', value: 'number', from }),
        ...caDebug,
      }),
    },
  });
}
