import assert from 'node:assert/strict';
import { managerOn } from '../../harness/manager/manager.ts';
import { passwordOf } from '../../harness/manager/people.ts';
import { type Requests, requestsOn } from '../../harness/manager/requests.ts';
import type { Node } from '../../harness/node.ts';
import { namespace } from '../../harness/objects.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { checkManagerObjects } from './manager-objects.ts';
import { type Castle, makePeople } from './people.ts';
import { checkRevocations } from './revocations.ts';
import { place, questions, table, webPod } from './table.ts';

export const scenario: Scenario = {
  name: 'manager-rights',
  about: 'roles, verbs and places as a table, at the door of the manager and straight in the cluster; what is taken away ends at once',
  short: true,
  timeout: 600_000,
  run: async (context) => {
    const { step, check, addNode, life } = context;
    const hub = await addNode('hub');
    await step('a cluster gets ready', async () => {
      await hub.start();
      await hub.untilReady();
    });
    const manager = managerOn(hub, context);
    const requests = requestsOn(hub, manager, life.signal);
    await step('the manager starts beside it', manager.open);
    const castle = await step('people of every kind are there', async () => {
      await hub.apply(namespace(place), webPod);
      const [made] = await Promise.all([
        requests.session('admin', passwordOf('admin')).then((admin) => makePeople(requests, { admin, signal: life.signal })),
        hub.wait(['-n', place, '--for=condition=Ready', 'pod/web']),
      ]);
      return made;
    });
    await check('the door lets each do what the table says, and nothing else', () => tryDoor(requests, castle));
    await check('the cluster itself says the same of each', () => askCluster(hub, castle));
    await checkManagerObjects(context, requests, { castle, hub });
    await checkRevocations(context, requests, castle);
  },
};

/** Every cell by the request itself. */
async function tryDoor(requests: Requests, { rows }: Castle): Promise<void> {
  const cells = Object.entries(table).flatMap(([row, line]) =>
    [...line.replaceAll(' ', '')].map((cell, index) => ({
      row,
      cell,
      question: questions[index] ?? assert.fail(`${row} has too many cells`),
    })),
  );
  assert.equal(cells.length, Object.keys(table).length * questions.length, 'a row of the table has too few cells');
  const { answers } = await requests.exchange({
    asks: cells.map(({ row, question: { ask } }) => ({ ...ask, ...credential(rows, row), path: `/k8s/clusters/local${ask.path}` })),
    atOnce: 8,
  });
  const wrong = cells.flatMap(({ row, cell, question: { title } }, index) => {
    const { status = 0, body = '' } = answers[index] ?? {};
    // A shell without an upgrade is let in, and then told that it needs one.
    const seen =
      status === 401 || status === 403 ? 'refused' : status < 300 || /pgrade request required/.test(body) ? 'allowed' : `${status} ${body}`;
    const expected = cell === '+' ? 'allowed' : 'refused';
    return seen === expected ? [] : [`${row}: ${title}: ${seen} instead of ${expected}`];
  });
  assert.deepEqual(wrong, []);
}

function credential(rows: Castle['rows'], row: string): { readonly token?: string } {
  const { token } = rows[row] ?? assert.fail(`there is no ${row}`);
  return token === undefined ? {} : { token };
}

/** Every cell by a SubjectAccessReview, of the groups that the row stands for. */
async function askCluster(hub: Node, { rows }: Castle): Promise<void> {
  const cells = Object.entries(table).flatMap(([row, line]) =>
    [...line.replaceAll(' ', '')].map((cell, index) => ({ row, cell, question: questions[index] })),
  );
  const items = cells.map(({ row, question }) => {
    const { user, groups } = rows[row] ?? assert.fail(`there is no ${row}`);
    return { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: { user, groups, ...question?.attributes } };
  });
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const told = await hub.kubectl(['create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}'], { input });
  const allowed = told.trim().split('\n');
  assert.equal(allowed.length, cells.length);
  const wrong = cells.flatMap(({ row, cell, question }, index) => {
    const expected = String(cell !== '-');
    return allowed[index] === expected ? [] : [`${row}: ${question?.title}: ${allowed[index]} instead of ${expected}`];
  });
  assert.deepEqual(wrong, []);
}
