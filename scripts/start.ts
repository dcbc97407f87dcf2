// `npm start`: from a fresh clone to a running node in the foreground, kept under `.rfo/`.
import { join } from 'node:path';
import { fail, writeFileIfChanged } from '@rfo/foundation';
import { interruptible } from './lib/interruptible.ts';
import { renderNodeConfig } from './lib/node-config.ts';
import { ensureNodeProgram } from './lib/node-program.ts';
import { prepare } from './lib/prepare.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, '.rfo');

await interruptible(async (signal) => {
  const bundle = await prepare({ what: 'npm start', purposes: ['build', 'run'], signal });
  const config = join(folder, 'config.yaml');
  await writeFileIfChanged(config, renderNodeConfig(folder), 0o600);
  const program = await ensureNodeProgram(root, join(folder, 'program'));
  signal.throwIfAborted();
  console.log('Starting the node (Ctrl-C ends it, its data stays in .rfo/)');
  // The node takes this process over: a wrapper that waits for it would keep 240 MB.
  const env = { ...process.env, RFO_FOREGROUND: '1', RFO_BUNDLE_DIR: bundle };
  process.execve?.(process.execPath, [process.execPath, program, 'server', '-c', config], env);
  throw fail('internal', { what: 'process.execve came back' });
});
