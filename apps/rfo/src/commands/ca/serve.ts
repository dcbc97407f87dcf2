// `rfo ca serve`: runs a certificate authority until a signal ends it.
import { createLog, Life } from '@rfo/foundation';
import { notifySystemd } from '@rfo/process';
import { type CaServeConfig, loadCaOptions } from '@rfo/schema';
import { bootCa } from '../../ca/serve.ts';
import type { Run } from '../../cli/context.ts';
import { loadFlags } from '../../cli/with-config.ts';

/** SIGHUP reloads, SIGTERM and SIGINT end it: what is under way is answered first. */
export const serveAuthority: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caServeConfig, context);
  const { env, stdout, stderr } = context;
  const log = createLog({ write: (line) => stderr.write(line), format: config['log-format'], level: levelOf(config), part: 'ca' });
  const ended = firstOf(['SIGINT', 'SIGTERM']);
  await using life = new Life();
  const running = await bootCa({ config, env, life, log });
  process.on('SIGHUP', () => void running.reload());
  await notifySystemd(['READY=1'], env);
  log.info('ready', { rss: megabytes() });
  stdout.write(running.screen());
  const signal = await ended;
  await notifySystemd(['STOPPING=1'], env);
  log.info('ending', { signal, rss: megabytes() });
  await life.end();
  log.info('ended');
  return 0;
};

/** cfssl's numbers: 0 debug, 1 info, 2 warning, then worse and worse. */
function levelOf(config: CaServeConfig): 'debug' | 'info' | 'warn' | 'error' {
  if (config.debug) return 'debug';
  return (['debug', 'info', 'warn', 'error'] as const)[Math.min(config.loglevel, 3)] ?? 'info';
}

function firstOf(signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal));
  });
}

/** What it holds of the machine's memory. */
function megabytes(): string {
  return `${Math.round(process.memoryUsage.rss() / 1024 / 1024)} MB`;
}
