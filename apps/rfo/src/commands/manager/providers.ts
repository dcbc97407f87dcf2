// `rfo manager providers …`: who outside vouches for users.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { CommandContext, Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { nothing, openManager } from './client.ts';
import { inPath, loadNamed } from './operands.ts';
import { type Columns, fetchList, fieldOf, listAt, managerObject, writeList, writeObject } from './output.ts';
import { confirm } from './prompt.ts';
import { readFirstLine, readGiven } from './read-given.ts';

const columns: Columns = {
  'NAME': ({ name }) => name,
  'TYPE': ({ spec }) => fieldOf(spec, 'type'),
  'ENABLED': ({ spec }) => fieldOf(spec, 'enabled'),
  'WHO': ({ spec }) =>
    fieldOf(spec, 'allowEverybody') === true ? 'everybody' : [...listAt(spec, 'allowedUsers'), ...listAt(spec, 'allowedGroups')],
  'DISPLAY NAME': ({ spec }) => fieldOf(spec, 'displayName'),
};
const path = '/authProviders';

export const listProviders: Run = async (context) => {
  const { values } = loadFlags((await loadManagerCliOptions()).managerProvidersListConfig, context);
  const { client } = await openManager(context);
  await writeList(await fetchList(client, path, values), { columns, format: values.output }, context);
  return 0;
};

export const getProvider: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProvidersGetConfig, 'the name of a provider', context);
  const { client } = await openManager(context);
  await writeObject(await client.call(managerObject, { method: 'GET', path: `${path}/${inPath(name)}` }), values.output, context);
  return 0;
};

const made = z.object({ provider: managerObject, redirectUri: z.optional(z.string()) });
/** The manager tries it before it keeps it. */
export const createProvider: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProvidersCreateConfig, 'a name for the provider', context);
  const { type } = values;
  if (type === undefined) throw fail('argument-missing', { command: 'manager providers create', what: '--type oidc, github or ldap' });
  const { client } = await openManager(context);
  const spec = {
    type,
    displayName: values['display-name'] ?? name,
    enabled: !values.disabled,
    allowEverybody: values['allow-everybody'],
    allowedUsers: values['allow-user'],
    allowedGroups: values['allow-group'],
    ...(values.refresh !== undefined && { refreshSeconds: Math.round(values.refresh / 1000) }),
    [type]: await settingsOf(values),
  };
  const secret = await secretOf(values['secret-file']);
  const body = { name, spec, ...(secret !== undefined && { secret }) };
  const { provider, redirectUri } = await client.call(made, { method: 'POST', path, body });
  if (values.output === 'table') context.stdout.write(`${name} is made${values.disabled ? ', and not enabled' : ' and enabled'}.\n`);
  else await writeObject(provider, values.output, context);
  tellReturn(redirectUri, context);
  return 0;
};

export const changeProvider: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProvidersChangeConfig, 'the name of a provider', context);
  const { client } = await openManager(context);
  const target = `${path}/${inPath(name)}`;
  const { spec: before } = await client.call(managerObject, { method: 'GET', path: target });
  const settings = await settingsOf(values);
  const everybody = values['allow-everybody'];
  const named = values['allow-user'].length > 0 || values['allow-group'].length > 0;
  const spec = {
    ...(values['display-name'] !== undefined && { displayName: values['display-name'] }),
    // Whoever names some does not mean all.
    ...((everybody || named) && { allowEverybody: everybody }),
    ...(values['allow-user'].length > 0 && { allowedUsers: values['allow-user'] }),
    ...(values['allow-group'].length > 0 && { allowedGroups: values['allow-group'] }),
    ...(values.refresh !== undefined && { refreshSeconds: Math.round(values.refresh / 1000) }),
    ...(Object.keys(settings).length > 0 && { [String(fieldOf(before, 'type'))]: settings }),
  };
  const secret = await secretOf(values['secret-file']);
  await client.call(managerObject, { method: 'PATCH', path: target, body: { spec, ...(secret !== undefined && { secret }) } });
  context.stdout.write(`${name} is changed.\n`);
  return 0;
};

const tested = z.object({ redirectUri: z.optional(z.string()) });

export const testProvider: Run = async (context) => {
  const { name } = loadNamed((await loadManagerCliOptions()).managerProvidersTestConfig, 'the name of a provider', context);
  const { client } = await openManager(context);
  const { redirectUri } = await client.call(tested, { method: 'POST', path: `${path}/${inPath(name)}/test`, body: {} });
  context.stdout.write(`${name} answers, and accepts the manager.\n`);
  tellReturn(redirectUri, context);
  return 0;
};

export const enableProvider: Run = async (context) => {
  const { name } = loadNamed((await loadManagerCliOptions()).managerProvidersEnableConfig, 'the name of a provider', context);
  return await switchProvider(name, 'enable', context);
};

export const disableProvider: Run = async (context) => {
  const { name } = loadNamed((await loadManagerCliOptions()).managerProvidersDisableConfig, 'the name of a provider', context);
  return await switchProvider(name, 'disable', context);
};

export const deleteProvider: Run = async (context) => {
  const { values, name } = loadNamed((await loadManagerCliOptions()).managerProvidersDeleteConfig, 'the name of a provider', context);
  const { client } = await openManager(context);
  if (!values.yes) await confirm(`Delete ${name}? Everybody who came by it is signed out.`, `the deletion of ${name}`, context);
  await client.call(nothing, { method: 'DELETE', path: `${path}/${inPath(name)}` });
  context.stdout.write(`${name} is deleted.\n`);
  return 0;
};

async function switchProvider(name: string, act: 'enable' | 'disable', context: CommandContext): Promise<number> {
  const { client } = await openManager(context);
  await client.call(managerObject, { method: 'POST', path: `${path}/${inPath(name)}/${act}`, body: {} });
  context.stdout.write(`${name} is ${act}d.\n`);
  return 0;
}

function tellReturn(redirectUri: string | undefined, { stderr }: CommandContext): void {
  if (redirectUri !== undefined) stderr.write(`Register this address there, as the one to send browsers back to:\n  ${redirectUri}\n`);
}

/** What stands in a file, and over that the single ones. */
async function settingsOf(values: {
  readonly set: readonly string[];
  readonly 'settings-file'?: string | undefined;
  readonly 'ca-file'?: string | undefined;
}): Promise<Readonly<Record<string, unknown>>> {
  const file = values['settings-file'];
  const settings: Record<string, unknown> = file === undefined ? {} : await settingsIn(file);
  for (const pair of values.set) {
    const at = pair.indexOf('=');
    const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
    settings[key] = lists.includes(key)
      ? value.split(',')
      : switches.includes(key) && /^(true|false)$/.test(value)
        ? value === 'true'
        : value;
  }
  const ca = values['ca-file'];
  return ca === undefined ? settings : { ...settings, caBundle: await readGiven(ca) };
}

/** Settings that are lists, of any type. */
const lists = ['scopes', 'servers'];
/** Those that are on or off. */
const switches = ['endSession'];

async function settingsIn(file: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml');
  const text = await readGiven(file);
  try {
    return z.parse(z.record(z.string(), z.unknown()), parse(text));
  } catch (error) {
    throw fail(
      'file-unusable',
      { file, problem: 'it holds no settings', cure: 'Write them as "key: value" lines of YAML, or as JSON' },
      error,
    );
  }
}

async function secretOf(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? undefined : await readFirstLine(file, 'the secret');
}
