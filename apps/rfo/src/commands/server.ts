import { fail, Life, type Log } from '@rfo/foundation';
import { notifySystemd } from '@rfo/process';
import type { ServerConfig } from '@rfo/schema';
import type { CommandContext } from '../cli/context.ts';
import { cleanHost } from '../host/cleanup/clean-host.ts';
import { bootServer, type RunningServer } from '../server/boot.ts';
import { awaitEnding, type Ending } from '../server/ending.ts';
import { renderReady } from '../server/ready-text.ts';

/** Milliseconds that containers have to end by themselves when everything ends. */
const containerGrace = 5_000;

/**
 * `rfo server`: runs a server node until a signal ends it (see `Ending`).
 * @throws not-root, everything that `bootServer` refuses, and the error of a component that cannot start
 */
export async function runServer(config: ServerConfig, { env, log, stdout }: CommandContext): Promise<void> {
  if (process.geteuid?.() !== 0) throw fail('not-root', { what: 'rfo server' });
  const ending = awaitEnding(env);
  await using life = new Life();
  const server = await bootServer({ config, env, life, log });
  const ready = server.ready.then(async () => {
    log.info('the node is ready');
    for (const line of server.manager.table().split('\n')) log.info(line);
    await notifySystemd(['READY=1']);
    if (env['RFO_FOREGROUND'] !== undefined) stdout.write(renderReady(server.inputs));
  });
  try {
    const early = await Promise.race([ending, ready]);
    await finish(early ?? (await ending), server, log);
  } catch (error) {
    await finish('stop', server, log);
    throw error;
  }
}

async function finish(how: Ending, { manager, inputs }: RunningServer, log: Log): Promise<void> {
  await notifySystemd(['STOPPING=1']);
  log.info(meaning[how]);
  if (how === 'release') return manager.release();
  await manager.stopAll();
  if (how === 'end') await cleanHost({ paths: inputs.paths, graceMs: containerGrace, log });
  log.info('stopped');
}

const meaning = {
  end: 'ending everything, pods included',
  stop: 'stopping Kubernetes; pods run on',
  release: 'ending; Kubernetes and pods run on for the next rfo',
} as const satisfies Record<Ending, string>;
