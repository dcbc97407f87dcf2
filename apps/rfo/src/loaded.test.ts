import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

/** What runs for years, by the module that its command loads. */
const programs = ['commands/server.ts', 'commands/agent.ts', 'commands/ca/serve.ts'];

for (const program of programs)
  test(`what ${program} loads brings no undici, no web streams and no zlib along`, () => {
    const script = `await import(${JSON.stringify(join(import.meta.dirname, program))}); console.log(process.moduleLoadList.join('\\n'))`;
    const loaded = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', script], { encoding: 'utf8' }).split(
      '\n',
    );
    assert.ok(loaded.includes('NativeModule crypto'));
    assert.deepEqual(
      loaded.filter((name) => /undici|webstreams\/readablestream|zlib/.test(name)),
      [],
    );
  });
