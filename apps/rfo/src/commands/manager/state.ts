// The file that says which manager the user is signed in to. It holds a token: nobody else may read it.
import { rm } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fail, readFileIfExists, systemCode, writeFileAtomic } from '@rfo/foundation';
import type { Environment } from '@rfo/schema';
import * as z from 'zod/mini';

/** `name`: of its Token, by which it can be ended. */
const credential = z.object({ name: z.string(), token: z.string(), expiresAt: z.string() });
const managerState = z.object({
  server: z.string(),
  /** PEM of the only CA that the manager is recognised by; without it the CAs of the host. */
  ca: z.optional(z.string()),
  username: z.string(),
  token: z.string(),
  /** The token was made by `login` and ends with `logout`; one that was brought along stays. */
  own: z.boolean(),
  /** What `credential` got for a cluster, until it expires. */
  credentials: z.optional(z.record(z.string(), credential)),
});
export type ManagerState = z.infer<typeof managerState>;
export type Credential = z.infer<typeof credential>;

/** `$XDG_CONFIG_HOME/rfo/manager.json`, or below `~/.config`. @throws manager-home-missing */
function statePath(env: Environment): string {
  const { XDG_CONFIG_HOME: config, HOME: home } = env;
  // The specification of the XDG folders has relative ones ignored.
  if (config !== undefined && isAbsolute(config)) return join(config, 'rfo/manager.json');
  if (home === undefined || home === '') throw fail('manager-home-missing', {});
  return join(home, '.config/rfo/manager.json');
}

/** Undefined where nobody is signed in. @throws manager-state-invalid, manager-home-missing */
export async function readState(env: Environment): Promise<ManagerState | undefined> {
  const file = statePath(env);
  const text = await readFileIfExists(file).catch((error: unknown) => {
    throw fail('manager-state-invalid', { file, problem: systemCode(error) ?? String(error) }, error);
  });
  if (text === undefined) return undefined;
  const read = z.safeParse(managerState, jsonOf(text));
  if (!read.success) throw fail('manager-state-invalid', { file, problem: 'it is not what rfo manager login writes' });
  return read.data;
}

/** @throws output-unwritable */
export async function writeState(env: Environment, state: ManagerState): Promise<void> {
  const file = statePath(env);
  await writeFileAtomic(file, `${JSON.stringify(state, undefined, 2)}\n`, 0o600).catch((error: unknown) => {
    throw fail('output-unwritable', { file, problem: systemCode(error) ?? String(error) }, error);
  });
}

/** Forgets who was signed in. */
export async function removeState(env: Environment): Promise<void> {
  await rm(statePath(env), { force: true });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
