import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { assertClean, type LabTrace, reapLab, run } from './index.ts';
import { labsFolder, readState } from './state.ts';

const skip = process.getuid?.() === 0 ? false : 'network namespaces need root';
const id = `hand-test-${process.pid}`;

async function lab(...args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, RFO_LAB: id } as Record<string, string>;
  return await run([process.execPath, join(import.meta.dirname, 'main.ts'), ...args], { env });
}
async function done(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lab(...args);
  assert.equal(code, 0, `lab ${args.join(' ')}: ${stderr}`);
  return stdout;
}

describe('a lab that stays', { skip, timeout: 60_000 }, () => {
  let trace: LabTrace | undefined;
  after(async () => {
    if (trace !== undefined) await reapLab(trace.dir);
  });
  /** By a port on which nobody listens: a refusal is an answer. */
  const reaches = async (from: string, ip: string): Promise<boolean> =>
    (await lab('shell', from, 'curl', '-sS', '-m1', `http://${ip}:81/`)).code === 7;

  test('is made by one command, entered, cut, healed and removed by others', async () => {
    assert.equal(await done('up', 'a', 'b'), 'a\t10.98.0.11\nb\t10.98.0.12\n');
    const dir = join(await labsFolder(), id);
    const state = await readState(dir);
    assert.ok(state?.kept);
    trace = { id, dir, cgroups: state.cgroups };
    assert.equal(await done('up', 'c'), 'c\t10.98.0.13\n');

    assert.equal(await done('shell', 'a', 'hostname'), 'a\n');
    assert.equal((await lab('shell', 'a', 'sh', '-c', 'exit 7')).code, 7);
    assert.deepEqual([await reaches('a', '10.98.0.12'), await reaches('a', '10.98.0.13')], [true, true]);
    await done('cut', 'a', 'b');
    await done('slow', 'c', '--delay', '20');
    assert.deepEqual([await reaches('a', '10.98.0.12'), await reaches('a', '10.98.0.13')], [false, true]);
    await done('heal');
    assert.equal(await reaches('a', '10.98.0.12'), true);

    await done('shell', 'b', 'sh', '-c', 'echo kept > /var/lib/rancher/kept');
    await done('kill', 'b');
    const listed = (await done('list')).split('\n');
    const at = listed.findIndex((line) => line.startsWith(`${id}\tkept\t`));
    assert.deepEqual(
      listed.slice(at + 1, at + 4).map((line) => line.trim().split(/\s+/)),
      [
        ['a', '10.98.0.11', 'light', 'on'],
        ['b', '10.98.0.12', 'light', 'off'],
        ['c', '10.98.0.13', 'light', 'on'],
      ],
    );
    assert.match((await lab('shell', 'b', 'true')).stderr, /no running host b/);
    await done('boot', 'b');
    assert.equal(await done('shell', 'b', 'cat', '/var/lib/rancher/kept'), 'kept\n');

    await done('down');
    await assertClean(trace);
  });

  test('says what is wrong with an order', async () => {
    assert.match((await lab('cut', 'a', 'b')).stderr, /there is no lab hand-test/);
    assert.match((await lab('cut', 'a')).stderr, /^usage: npm run lab/);
    assert.match((await lab('slow', 'a', '--dealy', '5')).stderr, /Unknown option '--dealy'/);
    assert.equal((await lab('nothing')).code, 2);
    await done('up', 'a');
    assert.match((await lab('kill', 'x')).stderr, /there is no host x. Choose from: a/);
    assert.match((await lab('slow', 'a', '--loss', '101')).stderr, /--loss 101 is no number from 0 to 100/);
    assert.match((await lab('up', 'a')).stderr, /there is a host a already/);
    assert.equal(await done('shell', 'a', 'hostname'), 'a\n');
    await done('down');
    if (trace !== undefined) await assertClean(trace);
  });
});
