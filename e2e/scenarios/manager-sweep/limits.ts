/** Who sends slowly, too much or too often is not waited for. */
import assert from 'node:assert/strict';
import { eventually } from '../../harness/eventually.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Castle } from './castle.ts';

/** Begun early: they take a quarter of a minute, in which nothing else has to wait. */
export async function sendSlowly({ requests, manager }: Pick<Castle, 'requests' | 'manager'>): Promise<readonly (string | undefined)[]> {
  const { host } = new URL(manager.address);
  const { raw } = await requests.exchange({
    raw: [
      'GET /healthz HTTP/1.1\r\n',
      `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(100)}`,
      `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
    ],
  });
  return raw;
}

export async function checkLimits(
  { check, life }: ScenarioContext,
  castle: Castle,
  slow: Promise<readonly (string | undefined)[]>,
): Promise<void> {
  const { requests, admin, member } = castle;
  await check('who sends slowly or without end is closed', async () => {
    const answers = await slow;
    assert.deepEqual(
      answers.map((seen) => seen === undefined),
      [false, false, false],
      'a connection was not closed within a minute',
    );
    assert.match(answers[0] ?? '', /^(HTTP\/1\.1 408 |$)/);
    assert.match(answers[2] ?? '', /^HTTP\/1\.1 431 /);
  });
  await check('wrong import addresses and tokens of clusters are refused faster than they can be guessed', async () => {
    const wrong = { path: `/import/rfor_${'0'.repeat(12)}_${'0'.repeat(64)}.yaml` };
    const agent = { path: '/connect', socket: 'rfo', token: `rfoc_elsewhere_${'0'.repeat(12)}_${'0'.repeat(64)}` };
    const { answers } = await requests.exchange({ asks: [...Array.from({ length: 200 }, () => wrong), agent], atOnce: 4 });
    const [last, refused] = answers.slice(-2);
    assert.match(last?.body ?? '', /"code":"too-many-attempts"/);
    for (const answer of [last, refused]) {
      assert.equal(answer?.status, 429, answer?.body ?? '');
      assert.ok(Number(answer?.headers['retry-after']) > 0, 'no Retry-After');
    }
  });
  await check('one user who opens too much is told to wait, and nobody else is', async () => {
    const path = '/k8s/clusters/local/api/v1/namespaces/shop/configmaps';
    const { held, answers } = await requests.exchange({
      held: Array.from({ length: 550 }, () => ({ path: `${path}?watch=true`, token: member })),
      asks: [
        { path, token: member },
        { path, token: admin },
      ],
      letGo: true,
    });
    const statuses = [200, 429].map((wanted) => held.filter(({ status }) => status === wanted).length);
    assert.deepEqual(statuses, [500, 50]);
    const [refused, other] = answers;
    assert.equal(refused?.status, 429, refused?.body ?? '');
    assert.match(refused?.body ?? '', /"reason":"TooManyRequests".*too-many-open/);
    assert.equal(refused?.headers['retry-after'], '1');
    assert.equal(other?.status, 200);
    const again = async (): Promise<true | undefined> => ((await requests.ask({ path, token: member })).status === 200 ? true : undefined);
    await eventually('the user to be let in again', again, { signal: life.signal });
  });
  await check('tokens cannot be predicted', async () => {
    const made = await requests.exchange({
      asks: [
        ...Array.from({ length: 20 }, () => ({ method: 'POST', path: '/api/v1/tokens', token: member, body: '{}' })),
        ...Array.from({ length: 20 }, () => ({ method: 'POST', path: '/api/v1/clusters/elsewhere/registration', token: admin })),
      ],
    });
    const secrets = made.answers.map(({ body }) => /_([0-9a-f]{64})/.exec(body)?.[1] ?? assert.fail(body));
    assert.equal(new Set(secrets).size, secrets.length);
    assert.equal(new Set(secrets.map((secret) => secret.slice(0, 12))).size, secrets.length, 'two begin alike');
    // 256 bits of 40 tokens: of fair ones half are set, and six standard deviations are 304.
    const ones = secrets.flatMap((secret) => [...BigInt(`0x${secret}`).toString(2)]).filter((bit) => bit === '1').length;
    assert.ok(Math.abs(ones - 40 * 128) < 304, `${ones} of ${40 * 256} bits are set`);
  });
}
