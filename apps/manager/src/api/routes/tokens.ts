// Tokens: what programs sign in with. The secret is answered once, when it is made.
import * as z from 'zod/mini';
import { heldGroups } from '../../identity/held-groups.ts';
import { managerKinds } from '../../objects/schema.ts';
import { listQuery } from '../list-query.ts';
import { listVisible, namePath, newName } from '../object-routes.ts';
import type { ApiParts } from '../parts.ts';
import { type Route, route } from '../route.ts';
import { pageSchema, viewOf, viewSchema } from '../views.ts';
import { findObject, unknownObject } from '../write-object.ts';

const kind = managerKinds.tokens;
export const tokenView = viewSchema(kind, ['hash']);

const wish = z.object({
  kind: z.prefault(z.enum(['api', 'kubeconfig']), 'api'),
  description: z.optional(z.string().check(z.maxLength(1024))),
  /** The only clusters that it shall be good for. */
  clusters: z.optional(z.array(newName).check(z.minLength(1), z.maxLength(1000))),
  readOnly: z.optional(z.boolean()),
  /** How long it shall last. */
  seconds: z.optional(z.int().check(z.gte(1))),
});

export function tokenRoutes({ objects, identity, rights }: ApiParts): readonly Route[] {
  const { tokens } = objects;
  const tag = 'Token';
  return [
    route({
      ...{
        method: 'GET',
        path: '/tokens',
        tag,
        access: { kind: 'listing', of: 'Token' },
        summary: "List one's own tokens, or with all=true those that one may see",
      },
      query: z.extend(listQuery, { all: z.optional(z.enum(['true', 'false'])) }),
      answer: pageSchema(tokenView),
      handle: async ({ caller, query: { all, ...query } }) => {
        const input = { kind, store: tokens, view: tokenView, rights, ownerOf: ownerOf };
        return listVisible(input, caller, query, ({ spec }) => all === 'true' || spec.user === caller.user);
      },
    }),
    route({
      ...{
        method: 'GET',
        path: '/tokens/:name',
        tag,
        access: { kind: 'right', verb: 'get', of: 'Token' },
        summary: 'Read a token, without its secret',
      },
      params: namePath,
      answer: tokenView,
      handle: async ({ params: { name } }) => viewOf(await findObject(tokens, kind, name)),
    }),
    route({
      ...{
        method: 'POST',
        path: '/tokens',
        tag,
        status: 201,
        access: { kind: 'self' },
        summary: "Make a token of one's own; its secret is answered this once",
      },
      ...{ recorded: 'refusals' },
      body: wish,
      answer: z.object({ token: tokenView, secret: z.string() }),
      handle: async ({ caller, body }) => {
        // As for kubeconfigs: a cluster that is not there and one that is not his are told apart to nobody.
        const closed = body.clusters?.find((name) => rights.in(caller, name) === undefined || objects.clusters.get(name) === undefined);
        if (closed !== undefined) throw unknownObject(managerKinds.clusters, closed);
        const { token, credential } = await identity.createToken({ caller, ...body });
        return { token: viewOf(token), secret: credential };
      },
    }),
    route({
      ...{
        method: 'DELETE',
        path: '/tokens/:name',
        tag,
        access: { kind: 'right', verb: 'delete', of: 'Token' },
        summary: 'Delete a token; what is open by it ends',
      },
      ...{ recorded: 'refusals' },
      params: namePath,
      handle: async ({ caller, params: { name } }) => {
        const { spec } = await findObject(tokens, kind, name);
        if (spec.user !== caller.user) {
          const user = await objects.users.find(spec.user);
          if (user !== undefined) rights.checkOver(caller, { user: spec.user, groups: heldGroups(user) });
        }
        await identity.deleteToken(name, caller);
        return undefined;
      },
    }),
  ];

  function ownerOf({ spec }: { readonly spec: { readonly user: string } }): string {
    return spec.user;
  }
}
