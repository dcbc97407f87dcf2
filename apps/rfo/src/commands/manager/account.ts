// `rfo manager logout|whoami|password`: the user himself.
import { fail } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { nothing, openManager } from './client.ts';
import { endSession } from './end-session.ts';
import { writeObject } from './output.ts';
import { askSecret, askTwice } from './prompt.ts';
import { readGivenLines } from './read-given.ts';
import { readState, removeState } from './state.ts';

/** Ends the session at the manager, and forgets it here, also when the manager cannot be asked. */
export const logout: Run = async (context) => {
  const { managerLogoutConfig } = await loadManagerCliOptions();
  loadFlags(managerLogoutConfig, context);
  const state = await readState(context.env);
  if (state === undefined) throw fail('manager-signed-out', {});
  await endSession(state, context);
  await removeState(context.env);
  context.stdout.write(`${state.username} is signed out of ${state.server}.\n`);
  return 0;
};

const self = z.looseObject({ name: z.string(), username: z.string() });

/** Tells who is signed in, as the manager sees him. */
export const whoami: Run = async (context) => {
  const { managerWhoamiConfig } = await loadManagerCliOptions();
  const { values } = loadFlags(managerWhoamiConfig, context);
  const { client } = await openManager(context);
  const answer = await client.call(self, { method: 'GET', path: '/self' });
  await writeObject({ server: client.server, ...answer }, values.output, context);
  return 0;
};

/** Sets the user's own password. Other sessions of his end. */
export const changePassword: Run = async (context) => {
  const { managerPasswordConfig } = await loadManagerCliOptions();
  const { values, operands } = loadFlags(managerPasswordConfig, context, Number.POSITIVE_INFINITY);
  // What stands there was meant for a password, most likely: it is not repeated in an error.
  if (operands.length > 0) throw fail('manager-password-in-arguments', {});
  const { client } = await openManager(context);
  const file = values['password-file'];
  const [current = '', wanted = ''] = file === undefined ? await askBoth(context) : await readGivenLines(file);
  await client.call(nothing, { method: 'POST', path: '/self/password', body: { current, password: wanted } });
  context.stdout.write('The password is changed.\n');
  return 0;
};

async function askBoth(context: Parameters<Run>[0]): Promise<readonly [string, string]> {
  const cure = 'Give --password-file';
  const current = await askSecret('Present password', cure, context);
  return [current, await askTwice('New password', cure, context)];
}
