import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { retry } from '@rfo/foundation';

const passing = `import { test } from 'node:test';\ntest('passes', () => undefined);\n`;
const failing = `import { test } from 'node:test';\ntest('fails', () => Promise.reject(new Error('no')));\n`;
const lasting = (started: string): string => `
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
test('lasts', () => new Promise((resolve) => setTimeout(resolve, 100_000)));
const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
writeFileSync('${started}', process.pid + ' ' + child.pid + '.');
`;

test('unit tests are counted, and those that measure time run after the others', async (context) => {
  const measuring = `performance.now();\n${passing}`;
  const root = await rootWith(context, { 'apps/a.test.ts': measuring, 'packages/b.test.ts': passing, 'scripts/c.test.ts': failing });
  const runner = start(context, root);
  const [output, [status]] = await Promise.all([text(runner.stdout), once(runner, 'exit')]);
  assert.equal(status, 0, output);
  assert.match(output, /^\{"passed":2,"failed":1,"note":"3 files"\}$/m);
  const order = [...output.matchAll(/ℹ tests (\d+)/g)].map(([, count]) => Number(count));
  assert.deepEqual(order, [2, 1]);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`unit tests that ${signal} interrupts end with what they started, and none of those that have not run is told of as failed`, async (context) => {
    const root = await rootWith(context, {});
    const started = join(root, 'started');
    // More than run side by side.
    for (let file = 0; file < 20; file++) await writeFile(join(root, `scripts/${file}.test.ts`), lasting(started));
    const runner = start(context, root);
    const output = text(runner.stdout);
    const patience = { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) };
    const pids = await retry(async () => {
      const [, file, program] = /^(\d+) (\d+)\.$/.exec(await readFile(started, 'utf8')) ?? assert.fail('no file has started');
      return [Number(file), Number(program)];
    }, patience);
    runner.kill(signal);
    const [status] = await once(runner, 'exit');
    assert.equal(status, 130);
    assert.doesNotMatch(await output, /fail|✖/);
    for (const pid of pids) await retry(async () => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }), patience);
  });

/** A repository of these files, and of one that runs its tests as `npm test` does. */
async function rootWith(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'rfo-unit-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  for (const folder of ['apps', 'packages', 'scripts']) await mkdir(join(root, folder));
  const main = `
import { interruptible } from '${join(import.meta.dirname, 'interruptible.ts')}';
import { runUnitTests } from '${join(import.meta.dirname, 'unit-tests.ts')}';
await interruptible(async (signal) => {
  console.log(JSON.stringify(await runUnitTests(signal, { root: '${root}' })));
  return 0;
});`;
  for (const [file, source] of Object.entries({ ...files, 'main.ts': main })) await writeFile(join(root, file), source);
  return root;
}

function start(context: TestContext, root: string) {
  // A runner that believes to be a test itself runs nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const runner = spawn(process.execPath, [join(root, 'main.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => runner.kill('SIGKILL'));
  return runner;
}
