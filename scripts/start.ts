// `npm start`: from a fresh clone to a running node in the foreground, kept under `.rfo/`.
import { join } from 'node:path';
import { writeFileIfChanged } from '@rfo/foundation';
import { runForeground } from './lib/foreground.ts';
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
  return await runForeground([process.execPath, program, 'server', '-c', config], {
    ...process.env,
    RFO_FOREGROUND: '1',
    RFO_BUNDLE_DIR: bundle,
  });
});
