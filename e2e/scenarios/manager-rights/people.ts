/** The people of the table, each with the role that its row is called by. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { Requests } from '../../harness/manager/requests.ts';
import { configMaker, place, table } from './table.ts';

/** `groups`: those that stand for the rights of the row in a cluster, by the names that docs/decisions/0014 gives them. */
export type Row = { readonly user: string; readonly groups: readonly string[]; readonly token?: string };
export type Castle = {
  readonly admin: string;
  readonly rows: Readonly<Record<string, Row>>;
  /** Users of the manager by what their row is called. */
  readonly users: Readonly<Record<string, { readonly name: string; readonly token: string }>>;
};

const everybody = ['system:authenticated', 'rfo:users', 'rfo:role:user'];
/** Roles in a project, by the name of the row. */
const inProject = /^(?<role>[a-z-]+) of (?<project>shop|all)(?<by> by a group)?$/;

/** @param context.admin the token of an administrator */
export async function makePeople(
  requests: Requests,
  { admin, signal }: { readonly admin: string; readonly signal: AbortSignal },
): Promise<Castle> {
  const { call } = requests;
  const members = Object.keys(table).flatMap((row) => {
    const { role, project, by } = inProject.exec(row)?.groups ?? {};
    return role === undefined || project === undefined ? [] : [{ row, role, project, group: by === undefined ? undefined : 'shopkeepers' }];
  });
  const wanted = [
    ...members.map(({ row, group }) => ({ username: usernameOf(row), groups: group === undefined ? [] : [group] })),
    ...['auditor', 'user of no project'].map((row) => ({ username: usernameOf(row) })),
  ];
  const made = await requests.users(admin, wanted);
  const userOf = (row: string): { readonly name: string; readonly token: string } =>
    made.get(usernameOf(row)) ?? assert.fail(`there is no ${row}`);

  await call(admin, 'POST', '/roleTemplates', configMaker);
  const auditors = [{ kind: 'User', name: userOf('auditor').name }];
  await call(admin, 'POST', '/globalRoleBindings', { name: 'auditors', spec: { role: 'auditor', subjects: auditors } });
  // It is known and has no agent: tokens can be for it.
  await call(admin, 'POST', '/clusters', { name: 'elsewhere' });
  for (const [project, places] of [
    ['shop', [{ cluster: 'local', namespaces: [place] }]],
    ['all', [{ cluster: 'local' }, { cluster: 'elsewhere' }]],
  ] as const) {
    const subjects = members
      .filter((member) => member.project === project)
      .map(({ row, role, group }) =>
        group === undefined ? { kind: 'User', name: userOf(row).name, role } : { kind: 'Group', name: group, role },
      );
    await call(admin, 'POST', '/projects', { name: project, spec: { members: subjects, places } });
  }
  const owner = userOf('owner of all').token;
  const tokenOf = async (wish: object): Promise<string> => (await call(owner, 'POST', '/tokens', wish)).secret;
  const tokens = {
    'its token to read with': await tokenOf({ readOnly: true }),
    'its token for this cluster': await tokenOf({ clusters: ['local'] }),
    'its token for another cluster': await tokenOf({ clusters: ['elsewhere'] }),
  };
  await untilInForce(requests, { admin, signal });

  const rowOf = (row: string, groups: readonly string[]): Row => {
    const { name, token } = userOf(row);
    return { user: `rfo:${name}`, groups: [...everybody, ...groups], token };
  };
  const ofMembers = members.map(({ row, role, project }) => [row, rowOf(row, [`rfo:project:${project}:${role}`])] as const);
  const ownerRow = rowOf('owner of all', ['rfo:project:all:owner']);
  return {
    admin,
    users: Object.fromEntries(wanted.map(({ username }) => [username, made.get(username) ?? assert.fail(username)])),
    rows: {
      ...Object.fromEntries(ofMembers),
      ...Object.fromEntries(Object.entries(tokens).map(([row, token]) => [row, { ...ownerRow, token }])),
      'administrator': { user: 'rfo:admin', groups: [...everybody, 'rfo:role:administrator'], token: admin },
      'auditor': rowOf('auditor', ['rfo:role:auditor']),
      'user of no project': rowOf('user of no project', []),
      'nobody': { user: 'system:anonymous', groups: ['system:unauthenticated'] },
    },
  };
}

/** Of a row: what its user is called. */
export function usernameOf(row: string): string {
  return row.replaceAll(' ', '-');
}

/** Waits until every cluster that can be reached has heard of all projects. */
async function untilInForce(
  { exchange }: Requests,
  { admin, signal }: { readonly admin: string; readonly signal: AbortSignal },
): Promise<void> {
  const look = async (): Promise<true | undefined> => {
    const { answers } = await exchange({
      asks: [
        {
          path: '/k8s/clusters/local/apis/rbac.authorization.k8s.io/v1/rolebindings?labelSelector=rfo.io/managed-by%3Dmanager',
          token: admin,
        },
        {
          path: '/k8s/clusters/local/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?labelSelector=rfo.io/managed-by%3Dmanager',
          token: admin,
        },
      ],
    });
    const names = answers.flatMap(({ body }) =>
      (JSON.parse(body) as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name),
    );
    const missing = Object.keys(table).flatMap((row) => {
      const { role, project } = inProject.exec(row)?.groups ?? {};
      const binding = role === undefined ? row === 'auditor' && 'rfo:role:auditor' : `rfo:project:${project}:${role}`;
      return binding === false || names.includes(binding) ? [] : [row];
    });
    assert.deepEqual(missing, [], 'no binding yet');
    return true;
  };
  await eventually('the bindings of all projects', look, { signal, within: 60_000 });
}
