/** One signing configuration for both servers, in the words of cfssl, with something of everything that it knows. */

/** `openssl rand -hex 16`, once for all runs: what is compared is not how it is chosen. */
export const sharedKey = '0123456789abcdef0123456789ABCDEF';
/** No profile names it, so that no node has it. */
export const operatorKey = 'fedcba9876543210fedcba9876543210';

const urls = { ocsp_url: 'http://127.0.0.1:8889', crl_url: 'http://127.0.0.1:8889/crl' };
const server = ['signing', 'key encipherment', 'server auth'];
const client = ['signing', 'key encipherment', 'client auth'];

export const signingConfig = {
  signing: {
    default: { expiry: '168h', usages: client, ...urls },
    profiles: {
      www: { expiry: '8760h', usages: server, ...urls },
      kubelet: { expiry: '8760h', usages: [...client, 'server auth'], auth_key: 'key1' },
      node: { expiry: '720h', usages: client, auth_key: 'key1', rfo_bind: 'node' },
      intermediate: {
        expiry: '43800h',
        usages: ['signing', 'key encipherment', 'cert sign', 'crl sign'],
        ca_constraint: { is_ca: true, max_path_len: 1 },
      },
      named: { expiry: '24h', usages: server, name_whitelist: '^allowed\\.' },
      numbered: { expiry: '24h', usages: server, ClientProvidesSerialNumbers: true },
      everything: {
        expiry: '1h30m',
        backdate: '10m',
        usages: [
          'digital signature',
          'content commitment',
          'key agreement',
          'any',
          'code signing',
          's/mime',
          'timestamping',
          'unknown to all',
        ],
        issuer_urls: ['http://127.0.0.1:8889/ca.crt'],
        ocsp_no_check: true,
        Policies: [{ ID: '1.2.3.4', Qualifiers: [{ Type: 'id-qt-cps', Value: 'http://cps.example' }] }],
      },
      bare: { expiry: '1h', usages: server, CSRWhitelist: { Subject: true, PublicKey: true, PublicKeyAlgorithm: true, DNSNames: true } },
      forever: { expiry: '876000h', usages: server },
    },
  },
  auth_keys: { key1: { type: 'standard', key: sharedKey }, operator: { type: 'standard', key: operatorKey } },
} as const;

/** What a client of `auth_remote` is configured with. */
export function clientConfig(address: string, key: string): object {
  return {
    signing: { default: { auth_remote: { remote: 'ca', auth_key: 'key1' } } },
    auth_keys: { key1: { type: 'standard', key } },
    remotes: { ca: address },
  };
}
