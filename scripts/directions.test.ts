// Proves that biome.json keeps the layers apart: a small tree of the same shape, with one import in it, is checked with it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

const forbidden: readonly (readonly [file: string, imported: string])[] = [
  ['packages/foundation/src/x.ts', '@rfo/schema'],
  ['packages/foundation/src/x.ts', '@rfo/kube'],
  ['packages/schema/src/x.ts', '@rfo/kube'],
  ['packages/kube/src/x.ts', '@rfo/pki'],
  ['packages/kube/src/x.ts', '@rfo/node'],
  ['packages/kube/src/x.ts', '../../pki/src/index.ts'],
  ['packages/kube/src/a/x.ts', '../../../pki/src/index.ts'],
  ['packages/kube/src/x.ts', '../../../apps/rfo/src/main.ts'],
  ['packages/kube/src/x.ts', '@rfo/foundation/src/life.ts'],
  ['apps/rfo/src/x.ts', '@rfo/manager'],
  ['apps/rfo/src/x.ts', '@rfo/components'],
  ['apps/rfo/src/a/x.ts', '../../../manager/src/main.ts'],
  ['apps/rfo/src/x.ts', '../../../packages/kube/src/index.ts'],
  ['components/src/x.ts', '@rfo/node'],
  ['e2e/src/x.ts', '@rfo/node'],
  ['scripts/x.ts', '../apps/rfo/src/paths.ts'],
  ['scripts/x.ts', '@rfo/node'],
];

const allowed: readonly (readonly [file: string, imported: string])[] = [
  ['packages/foundation/src/x.ts', './life.ts'],
  ['packages/schema/src/x.ts', '@rfo/foundation'],
  ['packages/kube/src/x.ts', '@rfo/foundation'],
  ['packages/kube/src/x.ts', '@rfo/schema'],
  ['packages/kube/src/a/x.ts', '../b/y.ts'],
  ['apps/rfo/src/x.ts', '@rfo/kube'],
  ['apps/rfo/src/a/x.ts', '../b/y.ts'],
  ['e2e/lab/x.ts', '../src/y.ts'],
  ['e2e/scenarios/x/x.ts', '../../lab/y.ts'],
  ['scripts/x.ts', '@rfo/components'],
];

test('an import against the direction fails the lint', async () => {
  const found = await lint(Object.fromEntries(forbidden.map(([file, imported], index) => [numbered(file, index), importing(imported)])));
  const passed = forbidden.filter(([file], index) => !found.includes(`${numbered(file, index)} lint/style/noRestrictedImports`));
  assert.deepEqual(passed, []);
});

test('an import along the direction passes the lint', async () => {
  const found = await lint(Object.fromEntries(allowed.map(([file, imported], index) => [numbered(file, index), importing(imported)])));
  assert.deepEqual(found, []);
});

test('an import cycle fails the lint', async () => {
  const a = `import { b } from './b.ts';\nexport const a = (): number => b();\n`;
  const b = `import { a } from './a.ts';\nexport const b = (): number => a();\n`;
  const found = await lint({ 'packages/kube/src/a.ts': a, 'packages/kube/src/b.ts': b });
  assert.ok(found.includes('packages/kube/src/a.ts lint/suspicious/noImportCycles'), found.join(', '));
});

test('what the code rules forbid fails the lint', async () => {
  const cases = {
    'lint/style/noDefaultExport': 'export default 1;\n',
    'lint/suspicious/noExplicitAny': 'export const f = (x: any): unknown => x;\n',
    'lint/style/noNonNullAssertion': 'export const f = (x: string | undefined): string => x!;\n',
    'lint/nursery/noFloatingPromises': 'async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n',
  };
  const found = await lint(Object.fromEntries(Object.entries(cases).map(([rule, source]) => [fileOf(rule), source])));
  const missed = Object.keys(cases).filter((rule) => !found.includes(`${fileOf(rule)} ${rule}`));
  assert.deepEqual(missed, []);
});

function importing(source: string): string {
  return `import { a } from '${source}';\n\nexport const b = a;\n`;
}

function numbered(file: string, index: number): string {
  return file.replace('x.ts', `x${index}.ts`);
}

function fileOf(rule: string): string {
  return `packages/kube/src/${rule.replaceAll('/', '-')}.ts`;
}

/** What the lint finds in a fresh tree of these files, each as `<file> <rule>`. */
async function lint(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const tree = await mkdtemp(join(tmpdir(), 'rfo-directions-'));
  try {
    for (const name of ['biome.json', '.gitignore']) await copyFile(join(root, name), join(tree, name));
    for (const [file, source] of Object.entries(files)) {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      await writeFile(join(tree, file), source);
    }
    const biome = join(root, 'node_modules/.bin/biome');
    const run = spawnSync(biome, ['lint', '--reporter=json', '.'], { cwd: tree, encoding: 'utf8' });
    return findingsIn(JSON.parse(run.stdout));
  } finally {
    await rm(tree, { recursive: true });
  }
}

function findingsIn(report: unknown): readonly string[] {
  assert.ok(typeof report === 'object' && report !== null && 'diagnostics' in report && Array.isArray(report.diagnostics));
  return report.diagnostics.map((found: { category: string; location: { path: string } }) => `${found.location.path} ${found.category}`);
}
