import * as z from 'zod/mini';
import { amounts, conditions, field, label, line, mapList, optional, subdomain, text } from './fields.ts';
import { defineKind } from './kind.ts';
import { projectMember } from './rights.ts';

export const projectKind = defineKind({
  kind: 'Project',
  plural: 'projects',
  description: 'Members with roles, over namespaces of one or several clusters or over whole clusters.',
  spec: z.object({
    displayName: optional(line(), 'Its name for people.'),
    description: optional(text(4096), 'What it is for.'),
    members: mapList(projectMember, ['kind', 'name', 'role'], 'Who has which role in it.', 1000),
    places: mapList(
      z.object({
        cluster: field(label(), 'Name of the Cluster.'),
        namespaces: optional(
          z.array(label()).check(z.minLength(1), z.maxLength(1000)),
          'Namespaces there; without this the whole cluster. A list without any is refused: it would be neither.',
        ),
      }),
      ['cluster'],
      'What it reaches over.',
      1000,
    ),
    resources: optional(
      z.array(z.object({ kind: field(line(63), 'Its kind.'), name: field(subdomain(), 'Its name.') })).check(z.maxLength(1000)),
      'Objects of the manager that its members may use.',
    ),
    quota: optional(
      z.object({ hard: field(amounts(), 'Most that may be used, by resource as in a ResourceQuota.') }),
      'Limits of its namespaces together: each gets an equal part. They do not hold in whole clusters.',
    ),
  }),
  status: z.object({
    conditions: conditions(),
    used: optional(amounts(), 'What its namespaces use together.'),
  }),
  columns: [
    { name: 'Display name', path: '.spec.displayName' },
    { name: 'Clusters', path: '.spec.places[*].cluster' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].status' },
  ],
});
