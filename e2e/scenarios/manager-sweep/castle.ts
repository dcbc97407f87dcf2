/** What the sweep is made with: people, tokens and secrets, each of them something that must not turn up anywhere. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Manager } from '../../harness/manager/manager.ts';
import { passwordOf } from '../../harness/manager/people.ts';
import type { Json, Requests } from '../../harness/manager/requests.ts';

export type Castle = {
  readonly manager: Manager;
  readonly requests: Requests;
  /** Tokens: of an administrator, of one who sees everything, and of a member of the project `shop`. */
  readonly admin: string;
  readonly auditor: string;
  readonly member: string;
  /** Name of the User that the member is. */
  readonly memberName: string;
  /** Of the member, ended by its time. */
  readonly expired: string;
  /** Of the member, deleted. */
  readonly deleted: string;
  /** An import address that was not used yet. */
  readonly registration: string;
  /** Everything secret so far, by what it is; more is added on the way. */
  readonly secrets: Map<string, string>;
  /** The document of the REST interface. */
  readonly document: Json;
};

export async function makeCastle(manager: Manager, requests: Requests, signal: AbortSignal): Promise<Castle> {
  const { call, ask, session, users } = requests;
  const admin = await session('admin', passwordOf('admin'));
  const made = await users(admin, [{ username: 'mallory' }, { username: 'auditor' }]);
  const mallory = made.get('mallory') ?? assert.fail();
  const auditor = made.get('auditor') ?? assert.fail();
  const subjects = [{ kind: 'User', name: auditor.name }];
  await call(admin, 'POST', '/globalRoleBindings', { name: 'auditors', spec: { role: 'auditor', subjects } });
  const members = [{ kind: 'User', name: mallory.name, role: 'owner' }];
  await call(admin, 'POST', '/projects', { name: 'shop', spec: { members, places: [{ cluster: 'local', namespaces: ['shop'] }] } });
  const expired = (await call(mallory.token, 'POST', '/tokens', { seconds: 1 })).secret as string;
  const gone = await call(mallory.token, 'POST', '/tokens', {});
  await call(mallory.token, 'DELETE', `/tokens/${gone.token.name}`);
  const own = (await call(mallory.token, 'POST', '/tokens', {})).secret as string;
  const { registration } = await call(admin, 'POST', '/clusters', { name: 'elsewhere' });
  const ended = async (): Promise<true | undefined> =>
    (await ask({ path: '/api/v1/self', token: expired })).status === 401 ? true : undefined;
  const [document] = await Promise.all([
    ask({ path: '/api/v1/openapi.json' }).then(({ body }) => JSON.parse(body) as Json),
    eventually('the end of a token', ended, { signal, within: 30_000 }),
  ]);
  const path = new URL(registration.url as string).pathname;
  return {
    ...{ manager, requests, admin, auditor: auditor.token, member: own, memberName: mallory.name, expired, deleted: gone.secret },
    ...{ registration: path, document },
    secrets: new Map([
      ['the password of the administrator', passwordOf('admin')],
      ['the password of a user', passwordOf('mallory')],
      ['a session', secretOf(admin)],
      ['a token', secretOf(own)],
      ['a token that ended', secretOf(expired)],
      ['an import address', secretOf(path)],
    ]),
  };
}

/** The part of a token that nobody else may know. */
export function secretOf(token: string): string {
  return /_([0-9a-f]{64})/.exec(token)?.[1] ?? assert.fail('it is no token of the manager');
}
