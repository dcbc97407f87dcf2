// `rfo manager roles …`: what roles there are, and who has the global ones.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { type ManagerClient, nothing, openManager } from './client.ts';
import { inPath, loadNamed, parseSubject, resolveSubjects, type Subject } from './operands.ts';
import { type Columns, fetchList, fieldOf, listAt, managerObject, writeList, writeObject } from './output.ts';

const columns: Columns = {
  'NAME': ({ name }) => name,
  'SCOPE': ({ spec }) => fieldOf(spec, 'scope'),
  'RULES': ({ spec }) => listAt(spec, 'rules').length,
  'INHERITS': ({ spec }) => fieldOf(spec, 'inherits'),
  'DISPLAY NAME': ({ spec }) => fieldOf(spec, 'displayName'),
};

export const listRoles: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerRolesListConfig, context);
  const { client } = await openManager(context);
  await writeList(await fetchList(client, '/roleTemplates', values), { columns, format: values.output }, context);
  return 0;
};

export const getRole: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerRolesGetConfig, 'the name of a role', context);
  const { client } = await openManager(context);
  await writeObject(await client.call(managerObject, { method: 'GET', path: `/roleTemplates/${inPath(name)}` }), values.output, context);
  return 0;
};

const subject = z.object({ kind: z.enum(['User', 'Group']), name: z.string() });
const binding = z.looseObject({
  name: z.string(),
  resourceVersion: z.string(),
  spec: z.looseObject({ role: z.string(), subjects: z._default(z.array(subject), []) }),
});

export const grantRole: Run = async (context) => {
  const { values, name: role } = loadNamed((await loadManagerCliOptions()).managerRolesGrantConfig, 'the name of a role', context);
  const typed = demanded(values.to, 'manager roles grant', '--to');
  const { client } = await openManager(context);
  const subjects = await resolveSubjects(client, typed.map(parseSubject));
  const having = (await bindingsOf(client, role)).flatMap(({ spec }) => spec.subjects);
  const missing = subjects.filter((one) => !having.some((other) => same(one, other)));
  if (missing.length > 0) await giveRole(client, role, missing);
  for (const [at, one] of subjects.entries())
    context.stdout.write(`${typed[at]} has the role ${role}${missing.includes(one) ? '' : ' already'}.\n`);
  return 0;
};

/** Makes a binding of its own, so that nobody else's is touched. */
export async function giveRole(client: ManagerClient, role: string, subjects: readonly Subject[]): Promise<void> {
  await client.call(managerObject, { method: 'POST', path: '/globalRoleBindings', body: { spec: { role, subjects } } });
}

/** Takes it from every binding that gives it; one that is left without anybody is deleted. */
export const revokeRole: Run = async (context) => {
  const { values, name: role } = loadNamed((await loadManagerCliOptions()).managerRolesRevokeConfig, 'the name of a role', context);
  const typed = demanded(values.from, 'manager roles revoke', '--from');
  const { client } = await openManager(context);
  const subjects = await resolveSubjects(client, typed.map(parseSubject));
  const bindings = await bindingsOf(client, role);
  for (const { name, resourceVersion, spec } of bindings) {
    const left = spec.subjects.filter((one) => !subjects.some((other) => same(one, other)));
    if (left.length === spec.subjects.length) continue;
    const path = `/globalRoleBindings/${inPath(name)}`;
    if (left.length === 0) await client.call(nothing, { method: 'DELETE', path });
    else await client.call(managerObject, { method: 'PATCH', path, body: { resourceVersion, spec: { subjects: left } } });
  }
  const having = bindings.flatMap(({ spec }) => spec.subjects);
  for (const [at, one] of subjects.entries()) {
    const had = having.some((other) => same(one, other));
    context.stdout.write(had ? `${typed[at]} has the role ${role} no longer.\n` : `${typed[at]} did not have the role ${role}.\n`);
  }
  return 0;
};

async function bindingsOf(client: ManagerClient, role: string) {
  const options = { filter: [`spec.role=${role}`], limit: 100_000 };
  return z.parse(z.array(binding), (await fetchList(client, '/globalRoleBindings', options)).items);
}

function demanded(given: readonly string[], command: string, flag: string): readonly string[] {
  if (given.length === 0) throw fail('argument-missing', { command, what: `somebody: ${flag} user:NAME or group:NAME` });
  return given;
}

function same(one: Subject, other: Subject): boolean {
  return one.kind === other.kind && one.name === other.name;
}
