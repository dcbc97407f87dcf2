import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rendered } from './component.ts';
import { defaultChange } from './default-change.ts';

const process = { name: 'a', path: '/bin/a', args: ['--x'], env: { A: '1' }, logFile: '/a.log', recordFile: '/a.json' };
const files = [
  { path: '/etc/a', content: 'cold', mode: 0o600 },
  { path: '/etc/b', content: 'warm', mode: 0o600, hot: true },
];
const before: Rendered = { files, process };

test('what a change needs without the component saying', () => {
  const reloadable: Rendered = { files, process: { ...process, reloadSignal: 'SIGHUP' } };
  const cold = [{ path: '/etc/a', content: 'new', mode: 0o600 }, ...files.slice(1)];
  const hot = [...files.slice(0, 1), { path: '/etc/b', content: 'new', mode: 0o600, hot: true }];
  assert.equal(defaultChange(before, { files, process }), 'none');
  assert.equal(defaultChange(before, { files: hot, process }), 'none');
  assert.equal(defaultChange(before, { files: cold, process }), 'restart');
  assert.equal(defaultChange(reloadable, { ...reloadable, files: cold }), 'reload');
  assert.equal(defaultChange(before, { files, process: { ...process, inputsHash: 'certificate' } }), 'restart');
  assert.equal(defaultChange(reloadable, { files, process: { ...reloadable.process, args: ['--y'] } }), 'restart');
  assert.equal(defaultChange(before, { files, process: { ...process, env: { A: '2' } } }), 'restart');
  assert.equal(defaultChange(before, { files, process: { ...process, stopGrace: 1, logFile: '/b.log' } }), 'none');
});
