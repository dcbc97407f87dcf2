// Ends a session at the manager, with the credentials that kubectl got by it.
import { toRfoError } from '@rfo/foundation';
import type { CommandContext } from '../../cli/context.ts';
import { createManagerClient, nothing } from './client.ts';
import { inPath } from './operands.ts';
import type { ManagerState } from './state.ts';

/** Tells it on the standard error where that is not possible: what was signed in to is forgotten here in any case. */
export async function endSession(state: ManagerState, context: CommandContext): Promise<void> {
  const client = createManagerClient(state, state.token, context);
  try {
    for (const { name } of Object.values(state.credentials ?? {})) {
      await client.call(nothing, { method: 'DELETE', path: `/tokens/${inPath(name)}` }).catch(unlessGone);
    }
    // A token that was brought along is the user's to keep.
    if (state.own) await client.call(nothing, { method: 'DELETE', path: '/session' });
  } catch (error) {
    const { code, message } = toRfoError(error);
    if (code !== 'manager-session-over') context.stderr.write(`rfo: the earlier session could not be ended at the manager: ${message}\n`);
  }
}

/** One that expired is gone already. */
function unlessGone(error: unknown): void {
  if (toRfoError(error).code !== 'manager-refused') throw error;
}
