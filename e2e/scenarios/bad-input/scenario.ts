import assert from 'node:assert/strict';
import { join } from 'node:path';
import { rfoCommand } from '../../harness/node.ts';
import type { Scenario } from '../../harness/scenario.ts';
import { type Host, lastLines, must, repository } from '../../lab/index.ts';
import { type Case, cases } from './cases.ts';

export const scenario: Scenario = {
  name: 'bad-input',
  about: 'every kind of bad input gives its exit code and one clear sentence, and changes nothing',
  short: true,
  timeout: 600_000,
  run: async ({ addNode, lab, step, check, life }) => {
    for (const [index, one] of cases.entries()) {
      await check(one.title, async () => {
        // A host of its own for each: it takes a tenth of a second.
        const host = await lab.addHost({ name: `h${index}` });
        await one.prepare?.(host, { node: join(repository, 'node_modules/.bin/node'), signal: life.signal });
        await assertRefused(host, one);
        await host.destroy();
      });
    }
    const node = await addNode('node');
    await step('a node gets ready', async () => {
      await node.start();
      await node.untilReady();
    });
    await check('a second server on the same data is refused, and the first goes on', async () => {
      const pids = await node.pids();
      const result = await node.rfo(['server'], { timeout: 60_000 });
      assert.equal(result.code, 3, result.stderr);
      assert.match(result.stderr, /another rfo \(pid \d+\) runs on \/var\/lib\/rancher\/rfo/);
      assertOneSentence(result.stderr);
      assert.deepEqual(await node.pids(), pids);
      await node.kubectl(['get', '--raw=/readyz']);
    });
  },
};

async function assertRefused(host: Host, one: Case): Promise<void> {
  const before = await contentOf(host);
  const command = [...(one.as ?? []), ...rfoCommand, 'server', ...(one.flags ?? [])];
  const result = await host.exec(command, { timeout: 60_000, env: one.env ?? {} });
  const said = `exit code ${result.code}; it said:\n${lastLines(result.stderr, 15)}`;
  assert.equal(result.code, one.code, said);
  assert.match(result.stderr, one.message, said);
  assertOneSentence(result.stderr);
  assert.deepEqual(await contentOf(host), before, 'it changed files');
}

/** One sentence with cause and cure at the end; before it nothing but log lines. */
function assertOneSentence(stderr: string): void {
  const lines = stderr.trim().split('\n');
  const sentences = lines.filter((line) => !/^\d{4}-\d\d-\d\dT\S+ (debug|info|warn|error) /.test(line));
  assert.equal(sentences.length, 1, lastLines(stderr, 15));
  assert.match(lines.at(-1) ?? '', /^rfo: .*\.$/);
}

/**
 * Everything that the host has beside this machine's files: path, kind, mode; of files also size and time of change. A folder's time would
 * tell of a lock that came and went.
 */
async function contentOf(host: Host): Promise<readonly string[]> {
  const print = ['(', '-type', 'f', '-printf', '%p %y %m %s %T@\\n', ')', '-o', '-printf', '%p %y %m\\n'];
  const inside = await host.must(['find', '/run', '/tmp', ...print]);
  const outside = await must(['find', join(host.dir, 'upper'), join(host.dir, 'disk'), ...print]);
  return [...inside.split('\n'), ...outside.split('\n')].sort();
}
