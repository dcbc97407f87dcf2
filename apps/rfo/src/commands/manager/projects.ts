// `rfo manager projects …`: who may do what where.
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { nothing, openManager } from './client.ts';
import { inPath, loadNamed, parseSubject, resolveSubjects } from './operands.ts';
import { type Columns, fetchList, fieldOf, listAt, managerObject, writeList, writeObject } from './output.ts';
import { confirm } from './prompt.ts';

const columns: Columns = {
  'NAME': ({ name }) => name,
  'DISPLAY NAME': ({ spec }) => fieldOf(spec, 'displayName'),
  'PLACES': ({ spec }) => listAt(spec, 'places').map((place) => showPlace(place)),
  'MEMBERS': ({ spec }) => listAt(spec, 'members').length,
};

export const listProjects: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerProjectsListConfig, context);
  const { client } = await openManager(context);
  await writeList(await fetchList(client, '/projects', values), { columns, format: values.output }, context);
  return 0;
};

export const getProject: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProjectsGetConfig, 'the name of a project', context);
  const { client } = await openManager(context);
  await writeObject(await client.call(managerObject, { method: 'GET', path: `/projects/${inPath(name)}` }), values.output, context);
  return 0;
};

export const createProject: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProjectsCreateConfig, 'a name for the project', context);
  const { client } = await openManager(context);
  const { 'display-name': displayName, description, member, place, quota } = values;
  const hard = Object.fromEntries(quota.map(parseQuota));
  const spec = {
    displayName,
    description,
    members: await resolveSubjects(client, member.map(parseMember)),
    places: place.map(parsePlace),
    ...(quota.length > 0 && { quota: { hard } }),
  };
  const made = await client.call(managerObject, { method: 'POST', path: '/projects', body: { name, spec } });
  if (values.output === 'table') context.stdout.write(`Project ${name} is created.\n`);
  else await writeObject(made, values.output, context);
  return 0;
};

const member = z.object({ kind: z.enum(['User', 'Group']), name: z.string(), role: z.string() });
const place = z.object({ cluster: z.string(), namespaces: z.optional(z.array(z.string())) });
const project = z.looseObject({
  ...managerObject.shape,
  resourceVersion: z.string(),
  spec: z.looseObject({
    members: z._default(z.array(member), []),
    places: z._default(z.array(place), []),
    quota: z.optional(z.object({ hard: z.record(z.string(), z.string()) })),
  }),
});
type Member = z.infer<typeof member>;
type Place = z.infer<typeof place>;

/** Reads the project, changes what is asked for, and writes it if nobody else has changed it meanwhile. */
export const changeProject: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProjectsChangeConfig, 'the name of a project', context);
  const { client } = await openManager(context);
  const path = `/projects/${inPath(name)}`;
  const { resourceVersion, spec } = await client.call(project, { method: 'GET', path });
  const { 'display-name': displayName, description } = values;
  const members = await resolveSubjects(client, values.member.map(parseMember));
  const removed = await resolveSubjects(
    client,
    values['remove-member'].map((given) => parseFormerMember(given, spec.members)),
  );
  const places = values.place.map(parsePlace);
  const hard = {
    ...Object.fromEntries(values['remove-quota'].map((key) => [key, null])),
    ...Object.fromEntries(values.quota.map(parseQuota)),
  };
  const wanted = {
    displayName,
    description,
    members: joined(without(spec.members, removed), members, sameMember),
    places: joined(
      spec.places.filter(({ cluster }) => !values['remove-place'].includes(cluster)),
      places,
      (one, other) => one.cluster === other.cluster,
    ),
    ...(Object.keys(hard).length > 0 && { quota: { hard } }),
  };
  const changed = await client.call(managerObject, { method: 'PATCH', path, body: { resourceVersion, spec: wanted } });
  if (values.output === 'table') context.stdout.write(`Project ${name} is changed.\n`);
  else await writeObject(changed, values.output, context);
  return 0;
};

export const deleteProject: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProjectsDeleteConfig, 'the name of a project', context);
  const { client } = await openManager(context);
  if (!values.yes)
    await confirm(`Delete ${name}? Its members lose what they have by it; its namespaces stay.`, `the end of ${name}`, context);
  await client.call(nothing, { method: 'DELETE', path: `/projects/${inPath(name)}` });
  context.stdout.write(`Project ${name} is deleted.\n`);
  return 0;
};

/** `user:ada:owner`; the name of a group may hold colons, that of a role cannot. */
function parseMember(given: string): Member {
  const at = given.lastIndexOf(':');
  return { ...parseSubject(given.slice(0, at)), role: given.slice(at + 1) };
}

/** `lyon`, or `lyon/shop,shop-test`. */
function parsePlace(given: string): Place {
  const [cluster = '', namespaces] = given.split('/', 2);
  return { cluster, ...(namespaces !== undefined && { namespaces: namespaces.split(',') }) };
}

function parseQuota(given: string): readonly [string, string] {
  const at = given.indexOf('=');
  return [given.slice(0, at), given.slice(at + 1)];
}

type FormerMember = Pick<Member, 'kind' | 'name'> & { readonly role?: string };

/** `user:ada`, or with the one role that is taken away `user:ada:owner`. What is a member as it stands is meant whole: a group may hold colons. */
function parseFormerMember(given: string, members: readonly Member[]): FormerMember {
  const whole = parseSubject(given);
  if (members.some(({ kind, name }) => kind === whole.kind && name === whole.name)) return whole;
  return given.split(':').length > 2 ? parseMember(given) : parseSubject(given);
}

function without(members: readonly Member[], removed: readonly FormerMember[]): readonly Member[] {
  const isRemoved = (member: Member): boolean =>
    removed.some(({ kind, name, role = member.role }) => member.kind === kind && member.name === name && member.role === role);
  return members.filter((member) => !isRemoved(member));
}

/** The list with the added ones, each in the place of the one that it replaces. */
function joined<T>(list: readonly T[], added: readonly T[], same: (one: T, other: T) => boolean): readonly T[] {
  const kept = list.map((one) => added.find((other) => same(one, other)) ?? one);
  return [...kept, ...added.filter((one) => !list.some((other) => same(one, other)))];
}

function sameMember(one: Member, other: Member): boolean {
  return one.kind === other.kind && one.name === other.name && one.role === other.role;
}

function showPlace(value: unknown): string {
  const namespaces = listAt(value, 'namespaces');
  return `${fieldOf(value, 'cluster')}${namespaces.length > 0 ? `/${namespaces.join('+')}` : ''}`;
}
