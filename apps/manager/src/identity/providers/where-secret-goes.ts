/** Where the secret of a provider is sent, so that nobody turns it to a place of his own without knowing it. Decides only. */
import type { AuthProvider } from '@rfo/schema';

/** The same as long as the secret goes to the same place, over a connection that is as safe. */
export function whereSecretGoes({ ldap, oidc, github }: Pick<AuthProvider['spec'], 'ldap' | 'oidc' | 'github'>): string {
  return JSON.stringify([
    ldap && [ldap.servers, ldap.security, ldap.caBundle],
    oidc && [oidc.issuer, oidc.caBundle, oidc.proxy],
    github && [github.url, github.apiUrl, github.caBundle, github.proxy],
  ]);
}
