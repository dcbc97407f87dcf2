import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type RunResult, run } from './lib/run.ts';

const root = join(import.meta.dirname, '..');
const asRoot = { skip: process.geteuid?.() !== 0 && 'needs root' };

test('a file is run by the pinned Node', async (context) => {
  const { status, output } = await runScript(context);
  assert.deepEqual({ status, output }, { status: 0, output: `${process.version} as asked\n` });
});

for (const script of ['scripts/run.sh', 'apps/rfo/bin/rfo'])
  test(`a host without libatomic is told by ${script} what to install`, asRoot, async (context) => {
    const { status, output } = await runScript(context, { script, prepare: hideLibrary('libatomic.so.1') });
    assert.equal(status, 3, output);
    assert.match(output, /^rfo: Node needs libatomic\.so\.1, .*apt-get install libatomic1, dnf install libatomic.*\n$/);
  });

test('whatever else Node lacks is named', asRoot, async (context) => {
  const { status, output } = await runScript(context, { prepare: hideLibrary('libstdc++.so.6') });
  assert.equal(status, 3, output);
  assert.match(output, /^rfo: Node cannot run on this host: .*libstdc\+\+\.so\.6/);
});

/** Lays an overlay over each folder of libraries, in mounts that end with the script, and takes the library away in it. */
function hideLibrary(name: string): string {
  return `
mkdir "$FOLDER/layers" && mount -t tmpfs layers "$FOLDER/layers"
for folder in $(ldconfig -p | sed -n 's|.*=> \\(.*\\)/${name.replaceAll('+', '[+]')}$|\\1|p'); do
  folder=$(readlink -f "$folder")
  [ -e "$folder/${name}" ] || continue
  layers=$(mktemp -d -p "$FOLDER/layers") && mkdir "$layers/upper" "$layers/work"
  mount -t overlay -o "lowerdir=$folder,upperdir=$layers/upper,workdir=$layers/work" overlay "$folder"
  rm "$folder/${name}"
done
`;
}

/** Runs a script in a repository that has nothing but the scripts and this one's npm packages. */
async function runScript(
  context: TestContext,
  { script = 'scripts/run.sh', prepare = '' }: { readonly script?: string; readonly prepare?: string } = {},
): Promise<RunResult> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-run-'));
  context.after(() => rm(folder, { recursive: true, force: true }));
  for (const file of ['scripts/run.sh', 'scripts/lib/check-node.sh', 'apps/rfo/bin/rfo']) await cp(join(root, file), join(folder, file));
  await mkdir(join(folder, 'node_modules'));
  await symlink(join(root, 'node_modules/.bin'), join(folder, 'node_modules/.bin'));
  for (const file of ['package-lock.json', 'node_modules/.rfo-lock']) await writeFile(join(folder, file), 'the same');
  await writeFile(join(folder, 'hello.ts'), 'console.log(process.version, ...process.argv.slice(2));\n');
  const command = ['sh', join(folder, script), 'hello.ts', 'as', 'asked'];
  const isolated = ['unshare', '--mount', '--propagation', 'private', 'sh', '-ec', `${prepare}\nexec "$@"`, 'sh', ...command];
  const env = { ...process.env, FOLDER: folder };
  return await run(prepare === '' ? command : isolated, { env, signal: AbortSignal.timeout(30_000) });
}
