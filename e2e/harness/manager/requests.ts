/** Requests to a manager by its interface itself, for what neither kubectl nor `rfo manager` would send. */
import assert from 'node:assert/strict';
import type { Answer, Ask, Exchange, Outcome } from '../../tools/manager-requests.ts';
import type { Node } from '../node.ts';
import { toolCommand } from '../tools.ts';
import { type People, passwordOf } from './people.ts';

export type Requests = {
  readonly exchange: (exchange: Omit<Exchange, 'address'>) => Promise<Outcome>;
  readonly ask: (ask: Ask) => Promise<Answer>;
  /** One that has to succeed, of the REST interface below `/api/v1`, with a body that becomes JSON. Gives what is answered. */
  readonly call: (token: string, method: string, path: string, body?: unknown) => Promise<Json>;
  /** Signs in and gives the token of the session. */
  readonly session: (username: string, password: string, newPassword?: string) => Promise<string>;
  /** Makes users, each with a session, for `passwordOf` tells their passwords. */
  readonly users: (
    admin: string,
    wishes: readonly { readonly username: string; readonly groups?: readonly string[] }[],
  ) => Promise<ReadonlyMap<string, { readonly name: string; readonly token: string }>>;
};
/** What came as JSON: a scenario that looks for what is not there fails. */
// biome-ignore lint/suspicious/noExplicitAny: scenarios look into answers of every form
export type Json = any;

/** @param hub the node from whose host they are sent */
export function requestsOn(hub: Node, { address }: Pick<People, 'address'>, signal: AbortSignal): Requests {
  const exchange: Requests['exchange'] = async (wish) => {
    const input = JSON.stringify({ ...wish, address });
    const { code, stdout, stderr } = await hub.host.exec(toolCommand('manager-requests'), { input, signal, timeout: 180_000 });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as Outcome;
  };
  const ask: Requests['ask'] = async (wish) => {
    const [answer] = (await exchange({ asks: [wish] })).answers;
    return answer ?? assert.fail('it was not answered');
  };
  const session = (username: string, password: string, newPassword?: string): Ask => ({
    ...{ method: 'POST', path: '/api/v1/session' },
    body: JSON.stringify({ username, password, newPassword, as: 'token' }),
  });
  return {
    exchange,
    ask,
    call: async (token, method, path, body) =>
      read(await ask({ ...{ token, method, path: `/api/v1${path}` }, ...(body !== undefined && { body: JSON.stringify(body) }) })),
    session: async (...words) => read(await ask(session(...words))).token,
    users: async (admin, wishes) => {
      const once = (username: string): string => `${username} comes for the first time`;
      const make = ({ username, groups = [] }: (typeof wishes)[number]): Ask => ({
        ...{ method: 'POST', path: '/api/v1/users', token: admin },
        body: JSON.stringify({ username, groups, password: once(username) }),
      });
      const made = await exchange({ asks: wishes.map(make), atOnce: 4 });
      const entered = await exchange({
        asks: wishes.map(({ username }) => session(username, once(username), passwordOf(username))),
        atOnce: 4,
      });
      const tokens = entered.answers.map((answer) => read(answer).token as string);
      const names = made.answers.map((answer) => read(answer).user.name as string);
      return new Map(wishes.map(({ username }, index) => [username, { name: names[index] ?? '', token: tokens[index] ?? '' }]));
    },
  };
}

/** What a request that succeeded answers. */
function read({ status, body }: Answer): Json {
  assert.ok(status >= 200 && status < 300, `${status} ${body}`);
  return body === '' ? undefined : JSON.parse(body);
}
