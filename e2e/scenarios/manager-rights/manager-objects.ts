/** Who may do what with the objects of the manager itself: by its interface, and in the cluster that keeps them. */
import assert from 'node:assert/strict';
import type { Requests } from '../../harness/manager/requests.ts';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import type { Castle } from './people.ts';

/** Whether one may is decided before it is looked at what was sent: nothing of this can succeed in changing anything. */
const questions: readonly (Ask & { readonly path: string })[] = [
  { path: '/api/v1/users/admin' },
  { method: 'POST', path: '/api/v1/users', body: '{}' },
  { method: 'POST', path: '/api/v1/users/none/disable' },
  { method: 'POST', path: '/api/v1/users/none/password', body: '{}' },
  { path: '/api/v1/globalRoleBindings' },
  { method: 'POST', path: '/api/v1/globalRoleBindings', body: '{}' },
  { path: '/api/v1/roleTemplates' },
  { method: 'POST', path: '/api/v1/roleTemplates', body: '{}' },
  { path: '/api/v1/projects/shop' },
  { method: 'PATCH', path: '/api/v1/projects/shop', body: '[]' },
  { method: 'DELETE', path: '/api/v1/projects/none' },
  { path: '/api/v1/clusters/local' },
  { method: 'POST', path: '/api/v1/clusters', body: '{}' },
  { method: 'DELETE', path: '/api/v1/clusters/none' },
  { method: 'POST', path: '/api/v1/tokens', body: '[]' },
  { path: '/api/v1/settings' },
  { path: '/api/v1/audit?limit=1' },
  { path: '/metrics' },
];

/** Cells in the order of the questions: users, global roles, role templates, projects, clusters, tokens, settings, audit, metrics. */
const table: Readonly<Record<string, string>> = {
  'administrator': '++++ ++ ++ +++ +++ + + + +',
  'auditor': '+--- +- +- +-- +-- + + + +',
  'user of no project': '---- -- +- --- --- + - - -',
  'owner of shop': '---- -- +- ++- +-- + - - -',
  'cluster-manager of shop': '---- -- +- +-- +-- + - - -',
  'member of shop': '---- -- +- +-- +-- + - - -',
  'viewer of shop': '---- -- +- +-- +-- + - - -',
  'owner of all': '---- -- +- --- +-- + - - -',
  'its token to read with': '---- -- +- --- +-- - - - -',
  'its token for this cluster': '---- -- -- --- +-- - - - -',
  'its token for another cluster': '---- -- -- --- --- - - - -',
  'nobody': '---- -- -- --- --- - - - -',
};

/** Who can do everything in the cluster that the manager runs in is its master; see docs/manager.md. */
const masters: ReadonlySet<string> = new Set(['administrator', 'owner of all', 'cluster-manager of all']);

export async function checkManagerObjects(
  { check }: ScenarioContext,
  requests: Requests,
  { castle, hub }: { readonly castle: Castle; readonly hub: Node },
): Promise<void> {
  const { rows } = castle;
  await check('the manager lets each do with its own objects what the table says', async () => {
    const cells = Object.entries(table).flatMap(([row, line]) =>
      [...line.replaceAll(' ', '')].map((cell, index) => ({ row, cell, index })),
    );
    assert.equal(cells.length, Object.keys(table).length * questions.length, 'a row of the table is too long or too short');
    const { answers } = await requests.exchange({
      asks: cells.map(({ row, index }) => ({ ...(questions[index] ?? assert.fail()), ...tokenOf(rows, row) })),
      atOnce: 8,
    });
    const wrong = cells.flatMap(({ row, cell, index }, at) => {
      const { status = 0, body = '' } = answers[at] ?? {};
      const { method = 'GET', path } = questions[index] ?? assert.fail();
      const seen =
        status === 401 || status === 403 ? '-' : status < 500 && (method !== 'GET' || status === 200) ? '+' : `${status} ${body}`;
      return seen === cell ? [] : [`${row}: ${method} ${path}: ${seen} instead of ${cell} (${status} ${body.slice(0, 200)})`];
    });
    assert.deepEqual(wrong, []);
  });
  await check('in the cluster itself only its masters reach them', async () => {
    const kinds = ['users', 'tokens', 'globalrolebindings', 'roletemplates', 'projects', 'clusters', 'settings', 'auditsegments'];
    const cells = Object.entries(rows).flatMap(([row, { user, groups }]) =>
      kinds.flatMap((resource) => ['get', 'update'].map((verb) => ({ row, user, groups, resource, verb }))),
    );
    const allowed = await hub.kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}'], {
      input: JSON.stringify({
        ...{ apiVersion: 'v1', kind: 'List' },
        items: cells.map(({ user, groups, resource, verb }) => ({
          ...{ apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' },
          spec: { user, groups, resourceAttributes: { verb, resource, group: 'rfo.io' } },
        })),
      }),
    });
    const wrong = allowed
      .trim()
      .split('\n')
      .flatMap((told, index) => {
        const { row = '', verb, resource } = cells[index] ?? {};
        const isMaster = masters.has(row) || row.startsWith('its token');
        return told === String(isMaster) ? [] : [`${row}: ${verb} ${resource}: ${told}`];
      });
    assert.deepEqual(wrong, []);
  });
}

function tokenOf(rows: Castle['rows'], row: string): { readonly token?: string } {
  const { token } = rows[row] ?? assert.fail(`there is no ${row}`);
  return token === undefined ? {} : { token };
}
