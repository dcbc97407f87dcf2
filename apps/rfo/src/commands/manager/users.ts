// `rfo manager users …`: who may sign in.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { nothing, openManager } from './client.ts';
import { inPath, loadNamed, userNamed } from './operands.ts';
import { type Columns, fetchList, fieldOf, managerObject, writeList, writeObject } from './output.ts';
import { askTwice, confirm } from './prompt.ts';
import { readFirstLine } from './read-given.ts';
import { giveRole } from './roles.ts';

const columns: Columns = {
  'NAME': ({ name }) => name,
  'USERNAME': ({ spec }) => fieldOf(spec, 'username'),
  'ENABLED': ({ spec }) => fieldOf(spec, 'enabled'),
  'GROUPS': ({ spec }) => fieldOf(spec, 'groups'),
  'LAST LOGIN': ({ status }) => fieldOf(status, 'lastLogin'),
  'DISPLAY NAME': ({ spec }) => fieldOf(spec, 'displayName'),
};

export const listUsers: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerUsersListConfig, context);
  const { client } = await openManager(context);
  await writeList(await fetchList(client, '/users', values), { columns, format: values.output }, context);
  return 0;
};

export const getUser: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerUsersGetConfig, 'the name of a user', context);
  const { client } = await openManager(context);
  await writeObject(
    await client.call(managerObject, { method: 'GET', path: `/users/${inPath(await userNamed(client, name))}` }),
    values.output,
    context,
  );
  return 0;
};

const madeUser = z.object({ user: managerObject, password: z.optional(z.string()) });

/** Without a password of its own the user gets one that is good once, to set another: it is printed, and shown never again. */
export const createUser: Run = async (context) => {
  const { values, name: username } = loadNamed((await loadManagerCliOptions()).managerUsersCreateConfig, 'a user name', context);
  const { client } = await openManager(context);
  const { 'display-name': displayName, email, group: groups, role: roles } = values;
  const password = values['password-file'] === undefined ? undefined : await readFirstLine(values['password-file'], 'the password');
  const body = { username, displayName, email, groups, password };
  // Nobody is to be made without the role that he was meant to have, because of a slip in its name.
  for (const role of roles) await client.call(managerObject, { method: 'GET', path: `/roleTemplates/${inPath(role)}` });
  const made = await client.call(madeUser, { method: 'POST', path: '/users', body });
  // Before anything else can go wrong: it is shown this once.
  if (values.output !== 'table') await writeObject(made, values.output, context);
  else if (made.password !== undefined) {
    context.stdout.write(`${made.password}\n`);
    context.stderr.write('This password is good for one sign-in, at which it has to be changed. It is not shown again.\n');
  }
  context.stderr.write(`User ${username} is created.\n`);
  for (const role of roles) {
    await giveRole(client, role, [{ kind: 'User', name: made.user.name }]);
    context.stderr.write(`${username} has the role ${role}.\n`);
  }
  return 0;
};

const setEnabled = async (context: Parameters<Run>[0], name: string, enabled: boolean): Promise<number> => {
  const { client } = await openManager(context);
  const path = `/users/${inPath(await userNamed(client, name))}/${enabled ? 'enable' : 'disable'}`;
  await client.call(managerObject, { method: 'POST', path });
  context.stdout.write(enabled ? `User ${name} may sign in again.\n` : `User ${name} is disabled; everything it has open ends.\n`);
  return 0;
};

export const disableUser: Run = async (context) => {
  const { name } = loadNamed((await loadManagerCliOptions()).managerUsersDisableConfig, 'the name of a user', context);
  return await setEnabled(context, name, false);
};

export const enableUser: Run = async (context) => {
  const { name } = loadNamed((await loadManagerCliOptions()).managerUsersEnableConfig, 'the name of a user', context);
  return await setEnabled(context, name, true);
};

/** Sets the password of somebody else, who has to set another with it. */
export const setPassword: Run = async (context) => {
  const { managerUsersSetPasswordConfig } = await loadManagerCliOptions();
  const { values, operands } = loadFlags(managerUsersSetPasswordConfig, context, Number.POSITIVE_INFINITY);
  const [name, surplus] = operands;
  if (name === undefined) throw fail('argument-missing', { command: 'manager users set-password', what: 'the name of a user' });
  // What stands there was meant for a password, most likely: it is not repeated in an error.
  if (surplus !== undefined) throw fail('manager-password-in-arguments', {});
  const { client } = await openManager(context);
  const file = values['password-file'];
  const password =
    file === undefined ? await askTwice('New password', 'Give --password-file', context) : await readFirstLine(file, 'the password');
  await client.call(nothing, { method: 'POST', path: `/users/${inPath(await userNamed(client, name))}/password`, body: { password } });
  context.stdout.write(`The password of ${name} is set; what it has open ends.\n`);
  return 0;
};

export const deleteUser: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerUsersDeleteConfig, 'the name of a user', context);
  const { client } = await openManager(context);
  const path = `/users/${inPath(await userNamed(client, name))}`;
  if (!values.yes) await confirm(`Delete ${name}? Its tokens end, and it leaves its projects.`, `the end of ${name}`, context);
  await client.call(nothing, { method: 'DELETE', path });
  context.stdout.write(`User ${name} is deleted.\n`);
  return 0;
};
