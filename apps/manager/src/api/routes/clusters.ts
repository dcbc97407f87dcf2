// Clusters: what there is, how to bring another in, and how to let one go.

import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import { readAgentSettings } from '../../clusters/agent-settings.ts';
import { managerKinds } from '../../objects/schema.ts';
import { changeRoute, draftOf, namePath, newLabels, newName, readRoutes } from '../object-routes.ts';
import type { ApiParts } from '../parts.ts';
import { type Route, route } from '../route.ts';
import { viewOf, viewSchema } from '../views.ts';
import { createObject, findObject, unknownObject } from '../write-object.ts';

const kind = managerKinds.clusters;
export const clusterView = viewSchema(kind);
const registration = z.object({ url: z.string(), command: z.string(), expiresAt: z.string() });

export function clusterRoutes({ objects, rights, connections, authority }: ApiParts): readonly Route[] {
  const { clusters } = objects;
  const tag = 'Cluster';
  const input = { kind, store: clusters, view: clusterView, path: '/clusters', rights, own: true, narrow: true } as const;
  return [
    ...readRoutes(input),
    route({
      ...{ method: 'POST', path: '/clusters', tag, status: 201, access: { kind: 'right', verb: 'create', of: 'Cluster' } },
      summary: 'Make a cluster known, with an address by which its agent can be brought in once',
      body: z.object({ name: newName, labels: newLabels, spec: z.prefault(kind.spec, {}) }),
      answer: z.object({ cluster: clusterView, registration }),
      handle: async ({ body, changed }) => {
        // Before anything is made: without it nobody could bring the cluster in.
        if (readAgentSettings(objects, authority) === undefined) throw fail('server-url-unknown', {});
        const made = await createObject(clusters, { kind, draft: draftOf<typeof kind>(body), judge: () => undefined });
        changed({ name: body.name, after: z.parse(clusterView, viewOf(made)) });
        return { cluster: viewOf(made), registration: { ...(await connections.register(body.name)) } };
      },
    }),
    route({
      ...{
        method: 'POST',
        path: '/clusters/:name/registration',
        tag,
        status: 201,
        act: 'register',
        access: { kind: 'right', verb: 'update', of: 'Cluster' },
      },
      summary: 'Make another address by which the agent can be brought in once; earlier ones end',
      params: namePath,
      answer: registration,
      handle: async ({ params: { name }, changed }) => {
        await findObject(clusters, kind, name);
        changed({ name });
        return { ...(await connections.register(name)) };
      },
    }),
    changeRoute(input, () => () => undefined),
    route({
      ...{ method: 'DELETE', path: '/clusters/:name', tag, act: 'disconnect', access: { kind: 'right', verb: 'delete', of: 'Cluster' } },
      summary: 'Disconnect a cluster: what RFO put into it is taken away',
      params: namePath,
      handle: async ({ params: { name }, changed }) => {
        const before = await findObject(clusters, kind, name);
        if (name === 'local') throw fail('api-request-invalid', { problem: 'the cluster that the manager runs in cannot be disconnected' });
        const { uid } = before.metadata;
        if (!(await clusters.delete(name, uid === undefined ? {} : { uid }))) throw unknownObject(kind, name);
        changed({ name, before: z.parse(clusterView, viewOf(before)) });
        return undefined;
      },
    }),
  ];
}
