/** What `rfo server` and `rfo agent` have in common: a node is started, tells when it is ready, and ends as a signal asks for. */
import { fail, Life, type Log } from '@rfo/foundation';
import { notifySystemd } from '@rfo/process';
import type { CommandContext } from '../cli/context.ts';
import type { Manager } from '../component/manager.ts';
import { cleanHost } from '../host/cleanup/clean-host.ts';
import type { Paths } from '../paths.ts';
import { awaitEnding, type Ending } from './ending.ts';

export type RunningNode = {
  readonly paths: Paths;
  readonly manager: Manager;
  /** Resolves, with what is to be said of it, when all that can be ready is. */
  readonly ready: Promise<string>;
  /** Tells who started it by hand what to do next; never fails. */
  readonly announce: (write: (text: string) => unknown) => Promise<void>;
  /** Ends what would only complain while the components go. */
  readonly leave: () => Promise<void>;
  /** Resolves with why, once the host is not any more what the node was booted for. */
  readonly outdated: Promise<string>;
};

/** Milliseconds that containers have to end by themselves when everything ends. */
const containerGrace = 5_000;

/**
 * Runs a node until a signal ends it (see `Ending`). One that is outdated is released and booted again, as if rfo had been restarted: what
 * runs unchanged is adopted, the rest is replaced in order.
 * @param what name of the command
 * @param boot starts the node; what it waits for without bound (a server to join) ends with `cancelled`
 * @throws not-root, everything that `boot` refuses, and the error of a component that cannot start
 */
export async function runNode(what: string, boot: Boot, context: CommandContext): Promise<void> {
  if (process.geteuid?.() !== 0) throw fail('not-root', { what });
  // What `ps` shows from now on: a token that was given as a flag is read by nobody there.
  process.title = what;
  const cancel = new AbortController();
  const ending = awaitEnding(context.env);
  void ending.then(() => cancel.abort(new Error('ended by a signal')));
  while ((await runOnce(boot, { ending, cancelled: cancel.signal, context })) === 'again');
}

type Boot = (life: Life, cancelled: AbortSignal) => Promise<RunningNode>;

/** From a boot to the end, or to the moment when the node has to be booted again. */
async function runOnce(
  boot: Boot,
  given: { readonly ending: Promise<Ending>; readonly cancelled: AbortSignal; readonly context: CommandContext },
): Promise<'ended' | 'again'> {
  const { ending, cancelled, context } = given;
  const { env, log, stdout } = context;
  await using life = new Life();
  let node: RunningNode;
  try {
    node = await boot(life, cancelled);
  } catch (error) {
    if (cancelled.aborted && error === cancelled.reason) return 'ended';
    throw error;
  }
  const ready = node.ready.then(async (said) => {
    log.info(said);
    for (const line of node.manager.table().split('\n')) log.info(line);
    await notifySystemd(['READY=1']);
    if (env.RFO_FOREGROUND !== undefined) await node.announce((text) => stdout.write(text));
  });
  try {
    const over = Promise.race([ending, node.outdated.then((why) => ({ why }))]);
    const how = (await Promise.race([over, ready])) ?? (await over);
    if (typeof how === 'string') {
      await finish(how, node, log);
      return 'ended';
    }
    log.warn(`${how.why}: everything that depends on it is started anew`);
    await node.leave();
    await node.manager.release();
    return 'again';
  } catch (error) {
    await finish('stop', node, log);
    throw error;
  }
}

async function finish(how: Ending, { manager, paths, leave }: RunningNode, log: Log): Promise<void> {
  await notifySystemd(['STOPPING=1']);
  log.info(meaning[how]);
  await leave();
  if (how === 'release') return manager.release();
  await manager.stopAll();
  if (how === 'end') await cleanHost({ paths, graceMs: containerGrace, log });
  log.info('stopped');
}

const meaning = {
  end: 'ending everything, pods included',
  stop: 'stopping Kubernetes; pods run on',
  release: 'ending; Kubernetes and pods run on for the next rfo',
} as const satisfies Record<Ending, string>;
