/**
 * The first administrator: made at the first start, with a random password that is good for one sign-in. Until it is changed it stands in the Secret
 * `rfo-administrator`, so that it is not lost with the log of the replica that was first; afterwards the Secret only says that this was done.
 */
import { isAlreadyExists, type KubeClient, readEntry, renderEntries, type Secret, secretKind } from '@rfo/kube';
import type { Objects } from '../objects/open-objects.ts';
import { localProvider } from './local-provider.ts';
import type { PasswordParts } from './set-password.ts';
import { randomName } from './token-format.ts';

type AdministratorParts = PasswordParts & {
  readonly objects: Pick<Objects, 'users' | 'globalRoleBindings' | 'tokens'>;
  readonly client: KubeClient;
  readonly namespace: string;
};

const name = 'admin';
const role = 'administrator';
const binding = 'administrator-admin';
const secretName = 'rfo-administrator';

/**
 * Makes what is missing of it, if this was not completed before: any number of replicas may do so at once, and one that dies leaves it to the next.
 * Gives the password while it is the one that was made here. Throws what the API says.
 */
export async function ensureAdministrator(parts: AdministratorParts): Promise<{ readonly password?: string }> {
  const { client, namespace, passwords } = parts;
  const secret = await createOrRead(client, namespace);
  const password = readEntry(secret, 'password');
  if (password === undefined) return {};
  if (readEntry(secret, 'complete') !== 'true') {
    await complete(parts, password);
    await client.patch(refIn(namespace), { data: renderEntries({ complete: 'true' }) });
  }
  if ((await passwords.read(name))?.mustChange === true) return { password };
  await forgetPassword({ client, namespace }, name);
  return {};
}

/** To be called when the password of a user was set or the user deleted. */
export async function forgetPassword(parts: { readonly client: KubeClient; readonly namespace: string }, user: string): Promise<void> {
  if (user !== name) return;
  const { client, namespace } = parts;
  const secret = await client.find<Secret>(refIn(namespace));
  if (secret === undefined || readEntry(secret, 'password') === undefined) return;
  await client.patch(refIn(namespace), { data: { password: null } });
}

async function createOrRead(client: KubeClient, namespace: string): Promise<Secret> {
  const known = await client.find<Secret>(refIn(namespace));
  if (known !== undefined) return known;
  const made: Secret = {
    ...secretKind,
    metadata: { name: secretName, namespace },
    data: renderEntries({ username: name, password: makePassword() }),
  };
  return await client.create(made).catch(async (error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    return await client.get<Secret>(refIn(namespace));
  });
}

async function complete({ objects, hasher, passwords }: AdministratorParts, password: string): Promise<void> {
  const spec = { username: name, displayName: 'Administrator', enabled: true, identities: [{ provider: localProvider, id: name }] };
  // First: as soon as there is anybody there is an administrator.
  if ((await objects.globalRoleBindings.find(binding)) === undefined) {
    await unlessThere(
      objects.globalRoleBindings.create({ metadata: { name: binding }, spec: { role, subjects: [{ kind: 'User', name }] } }),
    );
  }
  const user =
    (await objects.users.find(name)) ??
    (await unlessThere(objects.users.create({ metadata: { name }, spec }))) ??
    (await objects.users.find(name));
  if (user !== undefined && (await passwords.read(name)) === undefined) {
    await passwords.write(user.metadata, { hash: await hasher.hash(password), mustChange: true });
  }
}

/** Undefined where another replica was first. */
function unlessThere<T>(creating: Promise<T>): Promise<T | undefined> {
  return creating.catch((error: unknown) => {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  });
}

/** 100 random bits in four groups. */
function makePassword(): string {
  return Array.from({ length: 4 }, () => randomName(5)).join('-');
}

function refIn(namespace: string) {
  return { ...secretKind, namespace, name: secretName };
}
