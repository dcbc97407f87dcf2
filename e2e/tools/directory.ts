/** A directory for scenarios: Debian's slapd. Arguments: port of ldaps, certificate, key, and a file of entries (LDIF). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { retry } from '@rfo/foundation';
import { prepareDirectory } from '@rfo/test-directory';

const [port = '636', cert = '', key = '', content = ''] = process.argv.slice(2);
const text = (file: string): string => readFileSync(file, 'utf8');
const { command, env } = await prepareDirectory({
  folder: mkdtempSync(join('/run', 'directory-')),
  urls: [`ldaps://0.0.0.0:${port}`],
  suffix: 'dc=example,dc=org',
  ldif: text(content),
  tls: { cert: text(cert), key: text(key) },
});
const [program = '', ...args] = command;
const child = spawn(program, args, { stdio: 'inherit', env });
process.once('SIGTERM', () => child.kill('SIGKILL'));
const ended = once(child, 'exit');
const answers = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
await retry(answers, { initial: 10, max: 100, signal: AbortSignal.timeout(30_000) });
console.log('listening');
await ended;
