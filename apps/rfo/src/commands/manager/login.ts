// `rfo manager login`: who signs in to which manager.
import { fail, toRfoError } from '@rfo/foundation';
import { loadManagerCliOptions } from '@rfo/schema';
import * as z from 'zod/mini';
import type { CommandContext, Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { signInByBrowser } from './browser-login.ts';
import { createManagerClient, type ManagerClient } from './client.ts';
import { endSession } from './end-session.ts';
import { askLine, askSecret, askTwice } from './prompt.ts';
import { readFirstLine, readGivenLines } from './read-given.ts';
import { recogniseManager } from './recognise.ts';
import { refusalCode } from './refusal.ts';
import { type ManagerState, readState, writeState } from './state.ts';

type Values = Awaited<ReturnType<typeof load>>['values'];

/** Keeps a token of the session, never the password. Without an address it signs in anew where it was before. */
export const login: Run = async (context) => {
  const { values, operands } = await load(context);
  const { env, stdout } = context;
  // A broken file is replaced.
  const before = await readState(env).catch((error: unknown) => {
    if (toRfoError(error).code === 'manager-state-invalid') return undefined;
    throw error;
  });
  const server = addressOf(operands[0] ?? before?.server);
  const known = before?.server === server ? before.ca : undefined;
  const ca = await recogniseManager(
    server,
    { file: values['ca-file'], pin: values['ca-pin'], systemCa: values['system-ca'], known },
    context,
  );
  const signedIn = values['token-file'] === undefined ? signInAsPerson : signInByToken;
  const state = await signedIn({ server, ca }, values, context);
  await writeState(env, state);
  // Nobody could end it later.
  if (before?.own === true && before.server === server) await endSession(before, context);
  stdout.write(`${state.username} is signed in to ${server}.\n`);
  return 0;
};

async function load(context: CommandContext) {
  return loadFlags((await loadManagerCliOptions()).managerLoginConfig, context, 1);
}

/** @throws manager-address-invalid, argument-missing */
function addressOf(given: string | undefined): string {
  if (given === undefined) throw fail('argument-missing', { command: 'manager login', what: 'the address of a manager' });
  const address = /^[a-z]+:\/\//i.test(given) ? given : `https://${given}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const plain = url?.protocol === 'https:' && url.username === '' && url.pathname === '/' && url.search === '' && url.hash === '';
  if (url === undefined || !plain) throw fail('manager-address-invalid', { address: JSON.stringify(given) });
  return url.origin;
}

type Address = { readonly server: string; readonly ca: string | undefined };
const session = z.object({ username: z.string(), token: z.string() });

const choices = z.object({ items: z.array(z.object({ name: z.string(), by: z.enum(['browser', 'password']) })) });

/** By a browser where that was asked for, where the provider needs it, or where nothing was said and there is such a provider. */
async function signInAsPerson(address: Address, values: Values, context: CommandContext): Promise<ManagerState> {
  const { provider, browser, username } = values;
  const client = createManagerClient(address, undefined, context);
  const typed = username !== undefined || values['password-file'] !== undefined;
  const { items } =
    typed && provider === undefined ? { items: [] } : await client.call(choices, { method: 'GET', path: '/signIn/providers' });
  const chosen = items.find(({ name }) => name === provider);
  if (provider !== undefined && chosen === undefined) throw fail('manager-provider-unknown', { server: address.server, provider });
  const byBrowser = browser || (provider === undefined ? !typed && items.some(({ by }) => by === 'browser') : chosen?.by === 'browser');
  if (!byBrowser) return await signInByPassword(address, values, context);
  const target = chosen?.by === 'browser' ? chosen.name : undefined;
  const { username: who, token } = await signInByBrowser(client, { provider: target, open: !values['print-url'] }, context);
  return { ...address, username: who, token, own: true };
}

/** A password that is good for one sign-in is replaced on the way. */
async function signInByPassword(address: Address, values: Values, context: CommandContext): Promise<ManagerState> {
  const username = values.username ?? (await askLine('User name', 'Give --username', context));
  const file = values['password-file'];
  const [password = '', given] =
    file === undefined ? [await askSecret('Password', 'Give --password-file or --token-file', context)] : await readGivenLines(file);
  const client = createManagerClient(address, undefined, context);
  const signIn = async (newPassword: string | undefined): Promise<ManagerState> => {
    const body = { username, password, newPassword, provider: values.provider, as: 'token' };
    const answer = await client.call(session, { method: 'POST', path: '/session', body });
    return { ...address, ...answer, own: true };
  };
  try {
    return await signIn(given);
  } catch (error) {
    if (refusalCode(error) !== 'password-must-change' || file !== undefined) throw error;
    context.stderr.write('This password was good once, and has to be changed now.\n');
    return await signIn(await askTwice('New password', 'Give --password-file with the new one in its second line', context));
  }
}

const self = z.object({ username: z.string() });

async function signInByToken(address: Address, values: Values, context: CommandContext): Promise<ManagerState> {
  const token = await readFirstLine(values['token-file'] ?? '-', 'the token');
  const client: ManagerClient = createManagerClient(address, token, context);
  const { username } = await client.call(self, { method: 'GET', path: '/self' });
  return { ...address, username, token, own: false };
}
