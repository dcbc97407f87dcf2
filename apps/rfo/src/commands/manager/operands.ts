import { fail } from '@rfo/foundation';
import type { Declaration, Shape } from '@rfo/schema';
import * as z from 'zod/mini';
import type { CommandContext } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import type { ManagerClient } from './client.ts';

/** The flags of a command that takes exactly one name. @throws argument-missing, and everything that is wrong with them */
export function loadNamed<S extends Shape>(declaration: Declaration<S>, what: string, context: CommandContext) {
  const { values, operands } = loadFlags(declaration, context, 1);
  const [name] = operands;
  if (name === undefined) throw fail('argument-missing', { command: declaration.name, what });
  return { values, name };
}

/** As it stands in a path. */
export function inPath(name: string): string {
  return encodeURIComponent(name);
}

export type Subject = { readonly kind: 'User' | 'Group'; readonly name: string };

/** `user:ada` or `group:operators` as the subject of a right; a name may hold colons. */
export function parseSubject(given: string): Subject {
  const at = given.indexOf(':');
  return { kind: given.slice(0, at) === 'user' ? 'User' : 'Group', name: given.slice(at + 1) };
}

const principal = z.object({ name: z.string() });

/** The name of the User who signs in by this user name, which a User itself may be called by as well. */
export async function userNamed(client: ManagerClient, username: string): Promise<string> {
  return (await client.call(principal, { method: 'GET', path: `/principals/${inPath(username)}` })).name;
}

/** The same subjects, users by the names that rights are given to. */
export async function resolveSubjects<T extends Subject>(client: ManagerClient, subjects: readonly T[]): Promise<readonly T[]> {
  return await Promise.all(subjects.map(async (one) => (one.kind === 'User' ? { ...one, name: await userNamed(client, one.name) } : one)));
}
