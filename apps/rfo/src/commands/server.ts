import { systemClock } from '@rfo/foundation';
import type { ServerConfig } from '@rfo/schema';
import type { CommandContext } from '../cli/context.ts';
import { announceServer } from '../server/announce.ts';
import { bootServer } from '../server/boot.ts';
import { managerName } from '../server/rfo-manager.ts';
import { runNode } from './run-node.ts';

/**
 * `rfo server`: runs a server node.
 * @throws what `runNode` and `bootServer` throw
 */
export async function runServer(config: ServerConfig, context: CommandContext): Promise<void> {
  const { env, log } = context;
  const boot: Parameters<typeof runNode>[1] = async (life, cancelled) => {
    const { inputs, client, ...running } = await bootServer({ config, env, life, cancelled, log });
    return {
      paths: inputs.paths,
      ...running,
      announce: (write) => {
        const managerReady = (): Promise<void> => running.manager.whenReady(managerName);
        return announceServer({ inputs, client, managerReady, write, clock: systemClock, signal: life.signal, log });
      },
    };
  };
  await runNode('rfo server', boot, context);
}
