// Kinds that need no more than the routes that all kinds have: projects, roles, who has them, and settings.
import { randomBytes } from 'node:crypto';
import type { Project } from '@rfo/schema';
import { managerKinds } from '../../objects/schema.ts';
import { objectRoutes } from '../object-routes.ts';
import type { ApiParts } from '../parts.ts';
import type { Route } from '../route.ts';
import { viewSchema } from '../views.ts';
import { unknownObject } from '../write-object.ts';

const { projects, roleTemplates, globalRoleBindings, settings } = managerKinds;

export function plainRoutes({ objects, rights }: ApiParts): readonly Route[] {
  return [
    ...objectRoutes({
      ...{ kind: projects, store: objects.projects, view: viewSchema(projects), path: '/projects', rights, own: true },
      judge: (caller) => (change) => {
        rights.checkChange(caller, { kind: 'Project', ...asRead(change) });
        checkPlaces(objects, change);
      },
    }),
    ...objectRoutes({
      ...{ kind: roleTemplates, store: objects.roleTemplates, view: viewSchema(roleTemplates), path: '/roleTemplates', rights, own: false },
      judge: (caller) => (change) => rights.checkChange(caller, { kind: 'RoleTemplate', ...asRead(change) }),
    }),
    ...objectRoutes({
      ...{
        kind: globalRoleBindings,
        store: objects.globalRoleBindings,
        view: viewSchema(globalRoleBindings),
        path: '/globalRoleBindings',
        rights,
        own: false,
      },
      judge: (caller) => (change) => rights.checkChange(caller, { kind: 'GlobalRoleBinding', ...asRead(change) }),
      makeName: () => `b-${randomBytes(5).toString('hex')}`,
    }),
    ...objectRoutes({
      ...{ kind: settings, store: objects.settings, view: viewSchema(settings), path: '/settings', rights, own: false },
      judge: () => () => undefined,
    }),
  ];
}

type Placed = { readonly spec: Pick<Project['spec'], 'places'> };

/** A cluster that is not there is a slip. What was there before may stay: its cluster may have gone meanwhile. @throws api-object-unknown */
function checkPlaces(
  { clusters }: Pick<ApiParts['objects'], 'clusters'>,
  change: { readonly before?: unknown; readonly after?: unknown },
): void {
  const { before, after } = change as { readonly before?: Placed; readonly after?: Placed };
  const had = new Set(before?.spec.places.map(({ cluster }) => cluster));
  const missing = after?.spec.places.find(({ cluster }) => !had.has(cluster) && clusters.get(cluster) === undefined);
  if (missing !== undefined) throw unknownObject(managerKinds.clusters, missing.cluster);
}

/** What was parsed by the schema of its kind has every default, so a draft is as good as what is read. */
function asRead<T>({ before, after }: { readonly before?: T; readonly after?: unknown }): {
  readonly before: T | undefined;
  readonly after: T | undefined;
} {
  return { before, after: after as T | undefined };
}
