// The options of the commands that look after a CA: all but `serve`, `sign` and `gencert`. Flags and RFO_CA_* variables, no configuration file.
import { declareOptions } from './declaration.ts';
import { list, maybe, optionGroup, preset, type Shape, toggle } from './option.ts';
import { choice, duration, hostOrAddress, numberType, port, text, textLike } from './value-types.ts';

const from = ['command-line'] as const;

/** Where the CA is. */
export const caFolder = {
  'dir': preset(text(), '/var/lib/rancher/rfo/ca', { help: 'Folder of the CA.', path: true, from: ['command-line', 'environment'] }),
};
export const caDatabase = {
  'db-config': maybe(text(), {
    help: "File that names the database, as cfssl's.",
    value: 'file',
    path: true,
    unset: '<dir>/certdb.db',
    from: ['command-line', 'environment'],
  }),
};
export const caDebug = { 'debug': toggle({ help: 'Log more, and show where an error came from.' }) };

/** What a CA key can be. */
const caKeyAlgorithms = ['P-256', 'P-384', 'P-521', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519'] as const;

const reason = () =>
  textLike(
    /^([1-9]|unspecified|keyCompromise|cACompromise|affiliationChanged|superseded|cessationOfOperation|certificateHold|removeFromCRL|privilegeWithdrawn|aACompromise)$/i,
    'a reason of RFC 5280',
    'keyCompromise, superseded or cessationOfOperation',
  );

const serial = () => textLike(/^(\d{1,60}|0x[0-9a-fA-F]{1,50}|[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){0,24})$/, 'a serial number', '1234 or 0x4d2');

const keyHex = () => textLike(/^[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){0,31}$/, "the id of a CA's key", 'a1b2c3…, as rfo ca info prints it');

const nodeName = () => textLike(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'the name of a node', 'worker-3');

export const caInitConfig = declare('ca init', {
  'name': preset(textLike(/^[^\p{Cc}]{1,64}$/u, 'a name of up to 64 characters', '"RFO CA"'), 'RFO CA', {
    help: 'Common name of the CA.',
    from,
  }),
  'organization': maybe(textLike(/^[^\p{Cc}]{1,64}$/u, 'a name of up to 64 characters', '"Example Ltd"'), {
    help: 'Organization in its name.',
    from,
  }),
  'host': list(hostOrAddress(), {
    help: 'Name or address by which clients reach the CA; the first stands in the certificates, for OCSP and CRL.',
    value: 'host',
    split: true,
    unset: 'the name and the addresses of this host',
    from,
  }),
  'port': preset(port(), 8888, { help: 'Port of the API, as `serve` will have it.', from }),
  'ocsp-port': preset(port(), 8889, { help: 'Port of OCSP and CRL, as `serve` will have it.', from }),
  'key-algorithm': preset(choice(caKeyAlgorithms), 'P-256', { help: 'Kind of the CA keys.', from }),
  'validity': preset(duration(), '87600h', { help: 'How long the CA is good for.', value: 'duration', from }),
  'intermediate': maybe(text(), {
    help: 'Make a root in this folder, which can be taken away, and an intermediate CA that signs.',
    value: 'folder',
    path: true,
    from,
  }),
});

export const caInfoConfig = declare('ca info', {
  'output': preset(choice(['text', 'json']), 'text', { help: 'Form of the answer.', short: 'o', from }),
});

export const caAuditConfig = declare('ca audit', {});

export const caListConfig = declare('ca list', {
  'node': maybe(nodeName(), { help: 'Only certificates of this node.', from }),
  'status': maybe(choice(['good', 'revoked']), { help: 'Only certificates of this status.', from }),
  'serial': maybe(serial(), { help: 'Only this one.', from }),
  'expiring': maybe(duration(), { help: 'Only good ones that end within this time.', value: 'duration', from }),
  'all': toggle({ help: 'Expired ones too.', from }),
  'limit': preset(numberType({ min: 1, max: 1_000_000, whole: true }), 1000, { help: 'At most so many, the newest.', from }),
  'output': preset(choice(['table', 'json']), 'table', { help: 'Form of the list.', short: 'o', from }),
});

export const caRevokeConfig = declare('ca revoke', {
  'serial': maybe(serial(), { help: 'Serial number of the certificate: decimal, or hexadecimal with 0x or colons.', from }),
  'aki': maybe(keyHex(), { help: 'Id of the CA key that signed it.', unset: 'the present key', from }),
  'node': maybe(nodeName(), { help: 'All certificates of this node; it is removed from the cluster, too.', from }),
  'reason': preset(reason(), 'unspecified', { help: 'Why: a name or number of RFC 5280.', from }),
  'kubeconfig': maybe(text(), {
    help: 'Kubeconfig of the cluster that the node is to be removed from.',
    value: 'file',
    path: true,
    variables: ['KUBECONFIG'],
    unset: 'that of the server on this host, where there is one',
    from: ['command-line', 'environment'],
  }),
  'keep-node': toggle({ help: 'Leave the node in the cluster; with --node.', from }),
});

export const caCrlConfig = declare('ca crl', {
  'pem': toggle({ help: 'Write PEM instead of DER.', from }),
  'out': preset(text(), '-', { help: 'File to write; - for the standard output.', value: 'file', path: true, from }),
  'aki': maybe(keyHex(), { help: 'Id of the CA key whose list it is.', unset: 'the present key', from }),
});

export const caOcspConfig = declare('ca ocsp', {
  'url': maybe(textLike(/^https?:\/\/\S+$/, 'an address', 'http://192.0.2.10:8889'), {
    help: 'The responder.',
    unset: 'the one that the certificate names',
    from,
  }),
  'issuer': maybe(text(), { help: 'Certificate of the CA that signed it.', value: 'file', path: true, unset: '<dir>/ca.pem', from }),
  'hash': preset(choice(['sha256', 'sha1']), 'sha256', { help: 'How the certificate is named in the question.', from }),
  'output': preset(choice(['text', 'json']), 'text', { help: 'Form of the answer.', short: 'o', from }),
});

export const caRotateConfig = declare('ca rotate', {
  'key-algorithm': maybe(choice(caKeyAlgorithms), { help: 'Kind of the new key.', unset: 'that of the present one', from }),
  'validity': preset(duration(), '87600h', { help: 'How long the new CA is good for.', value: 'duration', from }),
  'root': maybe(text(), { help: 'Folder of the root, for a CA that is an intermediate one.', value: 'folder', path: true, from }),
  'finish': toggle({ help: 'End the overlap: the old key is deleted.', from }),
  'force': toggle({ help: 'With --finish, also while certificates of the old key are in use.', from }),
});

export const caTokenCreateConfig = declare('ca token create', {
  'node': maybe(nodeName(), { help: 'The node that may join with it.', from }),
  'pattern': maybe(textLike(/^[a-z0-9*]([a-z0-9.*-]{0,251}[a-z0-9*])?$/, 'a pattern of node names', '"worker-*"'), {
    help: 'Nodes that may join with it; * stands for letters, digits and dashes.',
    from,
  }),
  'max-nodes': maybe(numberType({ min: 1, max: 100_000, whole: true }), {
    help: 'How many nodes may join with it; for a pattern.',
    unset: '1',
    from,
  }),
  'ttl': preset(duration(), '24h', { help: 'How long it is good for; 0: for ever.', value: 'duration', from }),
  'profile': list(text(), { help: 'Profile that it is good for.', split: true, unset: 'kubelet-client, kubelet-serving', from }),
  'address': list(textLike(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, 'an address or a range', '192.0.2.0/24'), {
    help: 'Range that the addresses in its certificates must lie in.',
    split: true,
    unset: 'any',
    from,
  }),
  'description': maybe(textLike(/^[^\p{Cc}]{1,256}$/u, 'a line of up to 256 characters', '"racks 4 to 6"'), {
    help: 'What it is for.',
    from,
  }),
});

export const caTokenListConfig = declare('ca token list', {
  'output': preset(choice(['table', 'json']), 'table', { help: 'Form of the list.', short: 'o', from }),
});

export const caTokenDeleteConfig = declare('ca token delete', {});

function declare<S extends Shape>(name: string, options: S) {
  return declareOptions({
    name,
    prefix: 'RFO_CA_',
    options: { ...optionGroup('Flags', options), ...optionGroup('Which CA', { ...caFolder, ...caDatabase, ...caDebug }) },
  });
}
