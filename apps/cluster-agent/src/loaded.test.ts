import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test('an agent loads nothing of what it has no use for: no undici, no web streams, no zlib', () => {
  const script = `await import(${JSON.stringify(join(import.meta.dirname, 'boot.ts'))}); console.log(process.moduleLoadList.join('\\n'))`;
  const loaded = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script], { encoding: 'utf8' }).split('\n');
  assert.ok(loaded.includes('NativeModule http2'));
  assert.deepEqual(
    loaded.filter((name) => /undici|webstreams\/readablestream|zlib/.test(name)),
    [],
  );
});
