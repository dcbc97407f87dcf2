// The settings of providers that are asked by redirecting a browser: OpenID Connect and GitHub.
import * as z from 'zod/mini';
import { field, line, optional, setOf, text } from './fields.ts';

const httpsUrl = () => z.string().check(z.maxLength(2048), z.regex(/^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/));

/** How the provider is reached; the same for every one that is asked over HTTPS. */
const reach = {
  caBundle: optional(text(131_072), 'CAs that its certificate may be of, in PEM, beside those of the host.'),
  proxy: optional(
    z.string().check(z.maxLength(2048), z.regex(/^https?:\/\/[^\s/?#@]+\/?$/)),
    'HTTP proxy by which it is reached; without it, directly.',
  ),
};

const lasting = (what: string) => [{ rule: 'self == oldSelf', message: `${what} never changes: make another provider` }];

/** OpenID Connect Core 1.0 with Discovery. */
export const oidcSettings = z.object({
  issuer: field(httpsUrl(), 'Its address; /.well-known/openid-configuration below it describes it.', lasting('the issuer of a provider')),
  clientId: field(line(512), 'What the manager is called there.'),
  ...reach,
  scopes: setOf(line(128), 'Scopes that are asked for beside openid, profile and email.', 32),
  algorithm: field(
    z._default(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']), 'RS256'),
    'The one algorithm by which it signs ID tokens.',
  ),
  usernameClaim: field(z._default(line(128), 'preferred_username'), 'Claim that is the user name here.'),
  groupsClaim: field(z._default(line(128), 'groups'), 'Claim that lists the groups.'),
  endSession: field(
    z._default(z.boolean(), false),
    'Who signs out here in a browser is led there to sign out as well; it has to know /sign-in of the manager as an address to come back to.',
  ),
});

/** GitHub and GitHub Enterprise Server, https://docs.github.com/apps/oauth-apps. Groups are `organisation` and `organisation/team`. */
export const githubSettings = z.object({
  url: field(
    z._default(httpsUrl(), 'https://github.com'),
    'Its address; of GitHub Enterprise your own.',
    lasting('the address of a provider'),
  ),
  apiUrl: optional(httpsUrl(), 'Address of its API; without it the one that belongs to url.'),
  clientId: field(line(512), 'Client ID of the OAuth app.'),
  ...reach,
});
