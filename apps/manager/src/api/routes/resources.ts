// What is in the clusters: any resource of their APIs, filtered, sorted and paged here.
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import { managerSchema } from '../../objects/schema.ts';
import { resourceOf } from '../../watches/create-watches.ts';
import { listQuery } from '../list-query.ts';
import type { ApiParts } from '../parts.ts';
import { type Route, route } from '../route.ts';

const namespace = z.optional(z.string().check(z.minLength(1), z.maxLength(63), z.regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)));

export function resourceRoutes({ watches }: ApiParts): readonly Route[] {
  return [
    route({
      ...{ method: 'GET', path: '/clusters/:cluster/resources', tag: 'Resource', narrow: true, access: { kind: 'self' } },
      summary: 'List the resources that a cluster has, each in the version that it prefers',
      params: z.object({ cluster: managerSchema.resourceFields.cluster }),
      answer: z.object({ items: z.array(managerSchema.servedResource) }),
      handle: async ({ caller, params: { cluster }, signal }) => {
        const items = await watches.resources({ caller, cluster, signal });
        return { items: items.map(({ group, shortNames, ...rest }) => ({ ...rest, group: group || 'core', shortNames: [...shortNames] })) };
      },
    }),
    route({
      ...{
        method: 'GET',
        path: '/clusters/:cluster/resources/:group/:version/:resource',
        tag: 'Resource',
        narrow: true,
        access: { kind: 'self' },
      },
      summary: 'List what the caller may list of a resource of a cluster; the group without a name is written core',
      params: z.object(managerSchema.resourceFields),
      query: z.extend(listQuery, {
        namespace,
        selector: z.optional(z.string().check(z.maxLength(512))),
        cursor: z.optional(z.string().check(z.maxLength(4096))),
      }),
      answer: z.object({
        items: z.array(z.looseObject({})),
        total: z.number(),
        page: z.number(),
        pageSize: z.number(),
        next: z.optional(z.string()),
      }),
      handle: async ({ caller, params: { cluster, ...rest }, query: { namespace: place, ...query }, signal }) => {
        const { items, total, next } = await watches.list({ caller, cluster, resource: resourceOf(rest), namespace: place, query, signal });
        const { page, pageSize } = query;
        return { items: items.map(({ text }) => parse(text)), total, page, pageSize, next };
      },
    }),
  ];
}

function parse(text: string): Record<string, unknown> {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw fail('internal', { what: 'an index holds something that is no object' });
}
