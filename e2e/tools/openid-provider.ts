/**
 * An OpenID provider for scenarios: the certified one of npm. Arguments: issuer, certificate, key, and a file with its people, which is read at every
 * question: `{"ada": {"name": "Ada", "groups": ["builders"]}}`. Any password is right. The client is `rfo` with the secret of CLIENT_SECRET.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

type Person = { readonly name: string; readonly groups: readonly string[] };

const [issuer = '', cert = '', key = '', people = '', redirectUri = ''] = process.argv.slice(2);
const personOf = (id: string): Person | undefined => (JSON.parse(readFileSync(people, 'utf8')) as Record<string, Person>)[id];

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'rfo',
      client_secret: process.env.CLIENT_SECRET ?? '',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email'] },
  findAccount: (_, id) => {
    const person = personOf(id);
    if (person === undefined) return undefined;
    const claims = { sub: id, preferred_username: id, name: person.name, email: `${id}@example.org`, groups: [...person.groups] };
    return { accountId: id, claims: async () => claims };
  },
  // As most providers do: whoever may use it gets one, whether or not it was asked for.
  issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
  pkce: { required: () => true },
  cookies: { keys: ['of the scenario'] },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 600, RefreshToken: 3600, Interaction: 600, Session: 3600, Grant: 3600 },
});
const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, provider.callback());
server.listen(Number(new URL(issuer).port), () => console.log('listening'));
process.once('SIGTERM', () => process.exit());
