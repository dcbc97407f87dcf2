// The table of routes: everything that the REST interface does stands in one of these lists.
import * as z from 'zod/mini';
import { managerVersion } from '../version.ts';
import { renderOpenApi } from './openapi.ts';
import type { ApiParts } from './parts.ts';
import { openRoute, type Route } from './route.ts';
import { auditRoutes } from './routes/audit.ts';
import { clusterRoutes } from './routes/clusters.ts';
import { kubeconfigRoutes } from './routes/kubeconfigs.ts';
import { plainRoutes } from './routes/plain.ts';
import { providerRoutes } from './routes/providers.ts';
import { resourceRoutes } from './routes/resources.ts';
import { sessionRoutes } from './routes/session.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { userRoutes } from './routes/users.ts';

export function createRoutes(parts: ApiParts): readonly Route[] {
  const { authority } = parts;
  const routes: readonly Route[] = [
    openRoute({
      ...{ method: 'GET', path: '/openapi.json', tag: 'Document', summary: 'Read this document' },
      answer: z.record(z.string(), z.unknown()),
      handle: async () => ({ ...document() }),
    }),
    openRoute({
      ...{
        method: 'GET',
        path: '/authority',
        tag: 'Document',
        summary: 'Read the CA of the certificate of the manager, in PEM, to compare and pin it',
      },
      answer: z.object({ ca: z.nullable(z.string()) }),
      handle: async () => ({ ca: authority() ?? null }),
    }),
    ...sessionRoutes(parts),
    ...userRoutes(parts),
    ...tokenRoutes(parts),
    ...clusterRoutes(parts),
    ...resourceRoutes(parts),
    ...kubeconfigRoutes(parts),
    ...plainRoutes(parts),
    ...providerRoutes(parts),
    ...auditRoutes(parts),
  ];
  let rendered: ReturnType<typeof renderOpenApi> | undefined;
  const document = () => {
    rendered ??= renderOpenApi(routes, { version: managerVersion });
    return rendered;
  };
  return routes;
}
