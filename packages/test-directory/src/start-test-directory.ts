/** A directory on loopback, for one test file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithProcess, freePorts, retry } from '@rfo/foundation';
import { type DirectoryContent, type PreparedDirectory, prepareDirectory } from './prepare-directory.ts';

export type TestDirectory = Pick<PreparedDirectory, 'root'> & {
  /** Of `ldap://127.0.0.1`, where StartTLS is offered if there is TLS. */
  readonly port: number;
  /** Of `ldaps://127.0.0.1`; nobody listens there without TLS. */
  readonly tlsPort: number;
  /** What it has said of connections and requests: one line each, such as `conn=1000 op=1 SRCH base="…"`. */
  readonly lines: readonly string[];
  /** Resolves when a line holds the text: what it was asked before that is in `lines` then. */
  readonly said: (text: string) => Promise<void>;
  /** Hangs: connections are accepted by the kernel and nothing is answered. */
  readonly pause: () => Promise<void>;
  readonly resume: () => void;
  /** Ends it by SIGKILL, with all its connections. */
  readonly kill: () => Promise<void>;
  /** Starts it again with the same ports and data. */
  readonly start: () => Promise<void>;
  /** Ends it and removes its folder. */
  readonly stop: () => Promise<void>;
};

/** Throws tool-missing, and what kept slapd from starting. */
export async function startTestDirectory(content: DirectoryContent): Promise<TestDirectory> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-directory-'));
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const urls = [`ldap://127.0.0.1:${port}`, ...(content.tls === undefined ? [] : [`ldaps://127.0.0.1:${tlsPort}`])];
  const lines: string[] = [];
  const heard = new EventEmitter();
  let child: ChildProcess | undefined;

  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const stop = async (): Promise<void> => {
    await kill();
    await rm(folder, { recursive: true });
  };

  try {
    const prepared = await prepareDirectory({ ...content, folder, urls });
    const start = async (): Promise<void> => {
      child = await run(prepared, folder, (line) => {
        lines.push(line);
        heard.emit('line');
      });
      // It listens a moment after it says that it starts, and has no way to tell.
      await retry(() => connects(port), { initial: 2, max: 50, signal: AbortSignal.timeout(30_000) });
    };
    await start();
    return {
      root: prepared.root,
      port,
      tlsPort,
      lines,
      said: async (text) => {
        while (!lines.some((line) => line.includes(text))) await once(heard, 'line');
      },
      pause: async () => {
        child?.kill('SIGSTOP');
        await retry(() => isStopped(child?.pid ?? 0), { initial: 1, max: 20, signal: AbortSignal.timeout(30_000) });
      },
      resume: () => void child?.kill('SIGCONT'),
      kill,
      start,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A signal has its effect a moment after it was sent. Throws as long as a thread runs. */
async function isStopped(pid: number): Promise<void> {
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    if (!/\) T /.test(stat)) throw new Error(`thread ${thread} of slapd runs on`);
  }
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

/** Resolves when it has read its configuration. */
function run({ command, env }: PreparedDirectory, folder: string, onLine: (line: string) => void): Promise<ChildProcess> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  endWithProcess(child, folder);
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      onLine(line);
      said.push(line);
      if (line.includes('slapd starting')) resolve(child);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`slapd ended with ${code}:\n${said.slice(-5).join('\n')}`)));
  });
}
