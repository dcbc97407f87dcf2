import * as z from 'zod/mini';
import { count, field, label, optional, sha256, subdomain, text, time } from './fields.ts';
import { defineKind } from './kind.ts';

/** What a token is: if it could change, a right to change tokens would be the right to become anybody. */
const lasting = (what: string) => [{ rule: 'self == oldSelf', message: `the ${what} of a token never changes` }];

export const tokenKind = defineKind({
  kind: 'Token',
  plural: 'tokens',
  description: 'A session or an API token of a user. Its name is the public half; of the secret half only the hash is kept.',
  spec: z.object({
    user: field(label(), 'Name of the User.', lasting('user')),
    kind: field(z.enum(['session', 'api', 'kubeconfig']), 'Made by signing in, by hand, or for a kubeconfig.', lasting('kind')),
    hash: field(sha256(), 'SHA-256 of the secret, in hex.', lasting('hash')),
    description: optional(text(1024), 'What it is for.'),
    clusters: optional(z.array(label()).check(z.maxLength(1000)), 'The only clusters it opens; without this, all of its user.'),
    readOnly: optional(z.boolean(), 'Only reading is allowed with it.'),
    expiresAt: field(time(), 'When it ends.'),
    idleSeconds: optional(count(1), 'It ends when it was not used for so long.'),
    provider: field(subdomain(), 'The AuthProvider that vouched for the user, or local.', lasting('provider')),
  }),
  status: z.object({ lastUsed: optional(time(), 'When it was used last, to the minute.') }),
  columns: [
    { name: 'User', path: '.spec.user' },
    { name: 'Kind', path: '.spec.kind' },
    { name: 'Expires', path: '.spec.expiresAt' },
    { name: 'Last used', path: '.status.lastUsed', type: 'date' },
    { name: 'Description', path: '.spec.description', wide: true },
  ],
  selectable: ['.spec.user', '.spec.kind'],
});
