/** Settings of providers that cannot be used. In the lab nothing outside answers; what a real provider says of wrong ones is tried beside its code. */
import type { Row } from './bad-input.ts';

const nowhere = 'https://127.0.0.1:1';
const oidc = { issuer: nowhere, clientId: 'rfo' };
const ldap = { servers: ['127.0.0.1:1'], userBase: 'ou=people,dc=example,dc=org' };
const github = { url: nowhere, clientId: 'rfo' };
const common = { displayName: 'Wrong', enabled: true, allowEverybody: true };

const invalid = { status: 400, code: 'api-request-invalid' };
const unusable = { status: 400, code: 'provider-settings' };
const unreachable = { status: 502, code: 'provider-unreachable' };

type Wrong = { readonly name?: string; readonly spec: object; readonly secret?: string };

const rows: readonly (Wrong & { readonly status: number; readonly code: string })[] = [
  { spec: {}, ...invalid },
  { spec: { ...common, type: 'saml' }, ...invalid },
  { spec: { ...common, type: 'oidc', settings: oidc }, ...invalid },
  { spec: { ...common, type: 'oidc' }, ...unusable },
  { spec: { ...common, type: 'github', oidc }, ...unusable },
  { name: 'Not A Name', spec: { ...common, type: 'oidc', oidc }, ...invalid },
  // A group of it would look like one of the manager.
  { name: 'rfo', spec: { ...common, type: 'oidc', oidc, enabled: false }, ...invalid },
  { spec: { ...common, type: 'oidc', oidc }, ...unreachable },
  { spec: { ...common, type: 'oidc', oidc: { ...oidc, proxy: 'http://127.0.0.1:1', issuer: 'https://127.0.0.1:2' } }, ...unreachable },
  { spec: { ...common, type: 'oidc', oidc: { ...oidc, caBundle: 'none' } }, ...unusable },
  ...['http://127.0.0.1:1', 'file:///etc/passwd', 'https://user:pass@127.0.0.1', `${nowhere}?a=b`, 'nowhere'].map((issuer) => ({
    ...{ spec: { ...common, type: 'oidc', oidc: { ...oidc, issuer } } },
    ...invalid,
  })),
  { spec: { ...common, type: 'oidc', oidc: { ...oidc, algorithm: 'none' } }, ...invalid },
  { spec: { ...common, type: 'github', github }, ...unreachable },
  { spec: { ...common, type: 'github', github: { ...github, url: 'http://127.0.0.1:1' } }, ...invalid },
  { spec: { ...common, type: 'github', github: { ...github, caBundle: 'none' } }, ...unusable },
  { spec: { ...common, type: 'ldap', ldap }, status: 502, code: 'ldap-unreachable' },
  { spec: { ...common, type: 'ldap', ldap: { ...ldap, userFilter: '(((' } }, status: 400, code: 'ldap-filter-invalid' },
  { spec: { ...common, type: 'ldap', ldap: { ...ldap, servers: [] } }, ...invalid },
  { spec: { ...common, type: 'ldap', ldap: { ...ldap, servers: ['ldap://127.0.0.1'] } }, ...invalid },
  { spec: { ...common, type: 'ldap', ldap: { ...ldap, security: 'none' } }, ...invalid },
  { spec: { ...common, type: 'ldap', ldap: { ...ldap, timeoutSeconds: 0 } }, ...invalid },
];

export const providerRows: readonly Row[] = rows.map(({ name = 'wrong', spec, secret = 'a secret', status, code }) => ({
  ...{ method: 'POST', path: '/api/v1/authProviders', status, code },
  body: JSON.stringify({ name, spec, secret }),
}));
