// The options of `rfo ca serve`: those of `cfssl serve` under the same names, with one dash or two, and our own.
import { caDatabase, caDebug, caFolder } from './ca-options.ts';
import { declareOptions, type Values } from './declaration.ts';
import { list, maybe, optionGroup, preset, toggle } from './option.ts';
import { absolutePath, choice, hostOrAddress, numberType, port, text } from './value-types.ts';

/** What is stricter than cfssl and can be switched off, by name. */
const cfsslCompatibilities = [
  'open-endpoints',
  'default-profile',
  'any-subject',
  'outlive-ca',
  'weak-keys',
  'empty-keys',
  'plain-http',
  'local-targets',
] as const;
export type CfsslCompatibility = (typeof cfsslCompatibilities)[number];

/** Endpoints that can be left out. */
const caEndpoints = [
  ...['authsign', 'bundle', 'certadd', 'certinfo', 'crl', 'gencrl', 'health', 'info', 'init_ca'],
  ...['newcert', 'newkey', 'ocspsign', 'revoke', 'scan', 'scaninfo', 'sign'],
] as const;

const file = (help: string, unset?: string) => maybe(text(), { help, value: 'file', path: true, ...(unset !== undefined && { unset }) });

/** The CA's own files, which `serve`, `sign` and `gencert` have in common. */
export const caFiles = {
  'ca': file('Certificate of the CA: a path, file:PATH or env:NAME.', '<dir>/ca.pem'),
  'ca-key': file('Its private key, in the same way; CFSSL_CA_PK_PASSWORD decrypts it.', '<dir>/ca-key.pem'),
  'config': file('Signing configuration: profiles and their keys.', '<dir>/ca-config.json'),
  ...caDatabase,
};

/** How another CA is reached that requests are handed on to. */
export const caRemoteFiles = {
  'tls-remote-ca': file('CAs by which the other side is known.', "the system's"),
  'mutual-tls-client-cert': file('Certificate to show to it.'),
  'mutual-tls-client-key': file('Its private key.'),
};

export const caCompat = {
  'cfssl-compat': list(choice([...cfsslCompatibilities, 'all']), {
    help: 'What to be as lenient with as cfssl; each is told of in docs/certificate-authority.md.',
    split: true,
  }),
};

export const logLevel = numberType({ min: 0, max: 5, whole: true });

/** A certificate and its key. */
const pairs = [
  ['responder', 'responder-key'],
  ['tls-cert', 'tls-key'],
] as const;

export const caServeConfig = declareOptions({
  name: 'ca serve',
  prefix: 'RFO_CA_',
  oneDash: true,
  options: {
    ...optionGroup('Listening', {
      'address': preset(hostOrAddress(), '127.0.0.1', { help: 'Address to listen on; 0.0.0.0 for all.', value: 'address' }),
      'port': preset(port(), 8888, { help: 'Port of the API.' }),
      'ocsp-address': maybe(hostOrAddress(), { help: 'Address for OCSP and CRL.', value: 'address', unset: 'that of --address' }),
      'ocsp-port': preset(port(), 8889, { help: 'Port of OCSP and CRL, without TLS.' }),
      'min-tls-version': preset(choice(['1.2', '1.3']), '1.2', { help: 'Oldest version of TLS that is spoken.' }),
      'host': list(hostOrAddress(), {
        help: 'Name or address that its own TLS certificate is for.',
        split: true,
        unset: 'those of the last certificate, else of this host',
      }),
    }),
    ...optionGroup('Files', {
      ...caFolder,
      ...caFiles,
      'responder': file('Certificate that signs OCSP answers.', '<dir>/ocsp.pem, renewed by itself'),
      'responder-key': file('Its private key.', '<dir>/ocsp-key.pem'),
      'tls-cert': file('Certificate of the API.', '<dir>/tls.pem, renewed by itself'),
      'tls-key': file('Its private key.', '<dir>/tls-key.pem'),
      'mutual-tls-ca': file('CAs of clients; whoever shows a certificate of one may use every endpoint.'),
      'mutual-tls-cn': maybe(text(), { help: 'Regular expression that the common name of such a client must match.', value: 'regexp' }),
      'ca-bundle': file('Root certificates that `bundle` trusts.', "the system's"),
      'int-bundle': file('Intermediate certificates that `bundle` knows.'),
      'int-dir': file('Folder in which intermediate certificates are kept that `bundle` has met.'),
      'metadata': maybe(text(), { help: "Of cfssl's trust stores: without effect.", path: true, hidden: true }),
    }),
    ...optionGroup('Behaviour', {
      'disable': list(choice(caEndpoints), { help: 'Endpoint to leave out.', split: true }),
      ...caCompat,
      'seed': maybe(absolutePath(), {
        help: 'Serve the files of this folder to hosts that install themselves.',
        value: 'folder',
        path: true,
      }),
      'metrics': toggle({ help: 'Serve metrics of OCSP and CRL at /metrics of the API.' }),
      'seed-port': preset(port(), 8890, { help: 'Port for them.' }),
      'loglevel': preset(logLevel, 1, { help: '0: debug, 1: info, 2: warning, 3 to 5: error.', value: 'number' }),
      'log-format': preset(choice(['text', 'json']), 'text', { help: 'Form of the log.' }),
      ...caDebug,
    }),
  },
  rules: [
    ...pairs.map(([one, other]) => ({
      keys: [one, other] as const,
      judge: (values: Readonly<Record<string, unknown>>) =>
        (values[one] === undefined) === (values[other] === undefined)
          ? undefined
          : { problem: `--${one} and --${other} belong together`, cure: 'Give both or neither' },
    })),
    {
      keys: ['mutual-tls-cn', 'mutual-tls-ca'],
      judge: (values: { readonly 'mutual-tls-cn'?: string; readonly 'mutual-tls-ca'?: string }) =>
        values['mutual-tls-cn'] !== undefined && values['mutual-tls-ca'] === undefined
          ? { problem: 'it says nothing without --mutual-tls-ca', cure: 'Give both' }
          : undefined,
    },
    {
      keys: ['port', 'ocsp-port'],
      judge: (values: { readonly 'port': number; readonly 'ocsp-port': number }) =>
        values.port === values['ocsp-port'] ? { problem: 'the API and OCSP cannot share a port', cure: 'Give another' } : undefined,
    },
  ],
});
export type CaServeConfig = Values<typeof caServeConfig>;
