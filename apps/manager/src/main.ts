// The program `rfo-manager`: reads what it is told, runs until a signal ends it, and says in one sentence what went wrong.
import { X509Certificate } from 'node:crypto';
import { createLog, fail, Life, type Log, type RfoError, toRfoError } from '@rfo/foundation';
import { loadConfig, loadManagerSchema, type ManagerConfig, renderOptions } from '@rfo/schema';
import type { RunningManager } from './boot.ts';
import { hostingCluster } from './hosting-cluster.ts';
import { managerVersion } from './version.ts';

const { argv, env, stdout, stderr } = process;
try {
  process.exitCode = await main(argv.slice(2));
} catch (error) {
  process.exitCode = report(error);
}

async function main(args: readonly string[]): Promise<number> {
  const { managerConfig } = await loadManagerSchema();
  if (args.includes('--version') || args.includes('-v')) {
    stdout.write(`rfo-manager ${managerVersion}\n`);
    return 0;
  }
  if (args.includes('--help') || args.includes('-h')) {
    stdout.write(`Usage: rfo-manager [flags]\n\nRuns a replica of the manager of many clusters.\n\n${renderOptions(managerConfig)}\n`);
    return 0;
  }
  const {
    values: config,
    files,
    warnings,
    operands,
  } = await loadConfig(managerConfig, { argv: args, env, defaultFile: '/etc/rancher/rfo/manager.yaml' });
  const [surplus] = operands;
  if (surplus !== undefined) throw fail('program-argument', { program: 'rfo-manager', argument: surplus });
  const log = createLog({
    write: (line) => stderr.write(line),
    format: config['log-format'],
    level: config.debug ? 'debug' : 'info',
    part: 'manager',
  });
  for (const warning of warnings) log.warn(warning);
  log.info('configuration read', { files: files.join(', ') || 'none' });

  await using life = new Life();
  const ending = awaitSignal();
  const cancel = new AbortController();
  void ending.then(() => cancel.abort(new Error('ended by a signal')));
  const manager = await started(config, { life, cancelled: cancel.signal, log });
  if (manager === undefined) return 0;
  log.info('serving', { port: manager.port, address: manager.address });
  stdout.write(renderReady(manager, config['hide-password']));
  log.info('ending', { signal: await ending });
  await manager.leave();
  return 0;
}

/** Undefined where a signal ends the start: it waits for an API that may never come. */
async function started(
  config: ManagerConfig,
  { life, cancelled, log }: { readonly life: Life; readonly cancelled: AbortSignal; readonly log: Log },
): Promise<RunningManager | undefined> {
  const running = life.child();
  // What fails then is told when the life of the program ends.
  const stop = (): void => void running.end(cancelled.reason).catch(() => undefined);
  cancelled.addEventListener('abort', stop, { once: true });
  try {
    const access = await hostingCluster({ kubeconfig: config.kubeconfig, env });
    // Half a second of loading that a mistake in the configuration need not wait for.
    const { bootManager } = await import('./boot.ts');
    return await bootManager({ config, access, life: running, log });
  } catch (error) {
    if (cancelled.aborted) return undefined;
    throw error;
  } finally {
    cancelled.removeEventListener('abort', stop);
  }
}

/** The address, and the password once: it is asked to be changed at the first sign-in. Not for the log, which is kept and shipped. */
function renderReady({ address, authority, password }: RunningManager, hidden: boolean): string {
  const pin =
    authority && `Its CA has the SHA-256 sha256:${new X509Certificate(authority).fingerprint256.replaceAll(':', '').toLowerCase()}`;
  const sign =
    password && !hidden ? `Sign in as admin with the password ${password} and change it: rfo manager login ${address}` : undefined;
  return [`The manager serves at ${address}`, pin, sign].map((line) => line && `${line}\n`).join('');
}

function awaitSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
}

function report(thrown: unknown): number {
  const errors = flatten(thrown);
  const debug = argv.includes('--debug') || env.RFO_MANAGER_DEBUG === 'true';
  for (const error of errors) stderr.write(`rfo-manager: ${debug ? (error.stack ?? error.message) : error.message}\n`);
  return Math.max(...errors.map(({ exit }) => exit));
}

function flatten(thrown: unknown): readonly RfoError[] {
  return thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors.flatMap(flatten) : [toRfoError(thrown)];
}
