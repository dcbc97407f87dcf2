/** Every way in which rights are taken away, and how soon what stands on them is over. */
import assert from 'node:assert/strict';
import type { Requests } from '../../harness/manager/requests.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { slowness } from '../../harness/slowness.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import { type Castle, usernameOf } from './people.ts';
import { place } from './table.ts';

/** Milliseconds on the machine of the figures: "within a second". */
const bound = 1000;

type Withdrawal = {
  readonly title: string;
  /** Row of the table. */
  readonly row: string;
  /** What the person has open meanwhile: a watch, and where the role has that a shell. */
  readonly open: readonly [Ask, ...Ask[]];
  readonly act: Omit<Ask, 'token'>;
  /** It is done by himself. */
  readonly byHimself?: boolean;
  /** What a role permits is the clusters' to know: they hear of it within that second. All else is decided at the door. */
  readonly inCluster?: boolean;
};

const door = '/k8s/clusters/local/api/v1';
const watch: Ask = { path: `${door}/namespaces/${place}/pods?watch=true` };
const shell: Ask = {
  path: `${door}/namespaces/${place}/pods/web/exec?command=sleep&command=100000&stdout=true`,
  socket: 'v5.channel.k8s.io',
};
const nodes: Ask = { path: `${door}/nodes?watch=true` };
const merge = (path: string, patch: object): Omit<Ask, 'token'> => ({
  method: 'PATCH',
  path: `/api/v1${path}`,
  body: JSON.stringify(patch),
});

export async function checkRevocations({ check, note }: ScenarioContext, requests: Requests, castle: Castle): Promise<void> {
  const { admin, rows } = castle;
  for (const { title, row, open, act, byHimself, inCluster } of await withdrawals(requests, castle)) {
    await check(`${title}: what is open ends within a second, and nothing new is let in`, async () => {
      const token = rows[row]?.token ?? assert.fail(`there is no ${row}`);
      const [{ path }] = open;
      const { held, answers, refused } = await requests.exchange({
        held: open.map((ask) => ({ ...ask, token })),
        asks: [{ ...act, token: byHimself ? token : admin }],
        untilRefused: { token, path: path.replace('?watch=true', '?limit=1') },
      });
      assert.deepEqual(
        held.map(({ status }) => status),
        open.map(({ socket }) => (socket === undefined ? 200 : 101)),
      );
      const [done] = answers;
      assert.ok(done !== undefined && done.status < 300, `${done?.status} ${done?.body}`);
      assert.ok(refused !== undefined && (inCluster || refused.tries === 1), `it is refused at try ${refused?.tries}`);
      const ends = [...held.map(({ after = Number.POSITIVE_INFINITY }) => after), ...(inCluster ? [refused.after] : [])];
      const last = Math.max(...ends);
      const slower = await slowness();
      note(`over ${Math.max(0, last).toFixed(0)} ms after that was answered; this machine is ${slower.toFixed(1)} × slower than usual`);
      assert.ok(last <= bound * slower, `over after ${ends.map((ms) => ms.toFixed(0)).join(' and ')} ms`);
    });
  }
}

/** In an order in which none takes from another what that has to lose. */
async function withdrawals({ call }: Requests, { admin, users, rows }: Castle): Promise<readonly Withdrawal[]> {
  const nameOf = (row: string): string => users[usernameOf(row)]?.name ?? assert.fail(`there is no ${row}`);
  const { items } = await call(admin, 'GET', '/tokens?all=true&pageSize=1000');
  const id = /^rfo_([^_]+)_/.exec(rows['its token for this cluster']?.token ?? '')?.[1] ?? assert.fail('no token');
  assert.ok(
    (items as readonly { readonly name: string }[]).some(({ name }) => name === id),
    'the token is not listed',
  );
  const { spec } = (await call(admin, 'GET', '/projects/shop')) as { spec: { members: { name: string }[] } };
  const withoutMember = spec.members.filter(({ name }) => name !== nameOf('member of shop'));
  return [
    {
      title: 'a membership',
      row: 'member of shop',
      open: [watch, shell],
      act: merge('/projects/shop', { spec: { members: withoutMember } }),
    },
    {
      ...{ title: 'a group', row: 'member of shop by a group', open: [watch, shell] },
      act: merge(`/users/${nameOf('member of shop by a group')}`, { spec: { groups: [] } }),
    },
    {
      ...{ title: 'a place of the project', row: 'owner of shop', open: [watch, shell] },
      act: merge('/projects/shop', { spec: { places: [{ cluster: 'local', namespaces: ['workshop'] }] } }),
    },
    { title: 'a global role', row: 'auditor', open: [watch], act: { method: 'DELETE', path: '/api/v1/globalRoleBindings/auditors' } },
    {
      ...{ title: 'what a role permits', row: 'config-maker of all', open: [nodes], inCluster: true },
      act: merge('/roleTemplates/config-maker', { spec: { clusterRules: [] } }),
    },
    {
      ...{ title: 'a token', row: 'its token for this cluster', open: [watch, shell] },
      act: { method: 'DELETE', path: `/api/v1/tokens/${id}` },
    },
    { title: 'a session', row: 'viewer of all', open: [watch], act: { method: 'DELETE', path: '/api/v1/session' }, byHimself: true },
    {
      ...{ title: 'a user who is disabled', row: 'member of all', open: [watch, shell] },
      act: { method: 'POST', path: `/api/v1/users/${nameOf('member of all')}/disable` },
    },
    {
      ...{ title: 'a user who is deleted', row: 'cluster-manager of all', open: [watch, shell] },
      act: { method: 'DELETE', path: `/api/v1/users/${nameOf('cluster-manager of all')}` },
    },
    { title: 'a whole project', row: 'owner of all', open: [watch, shell], act: { method: 'DELETE', path: '/api/v1/projects/all' } },
  ];
}
