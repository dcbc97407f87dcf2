import type { ServerConfig } from '@rfo/schema';
import type { CommandContext } from '../cli/context.ts';
import { bootServer } from '../server/boot.ts';
import { renderReady } from '../server/ready-text.ts';
import { runNode } from './run-node.ts';

/**
 * `rfo server`: runs a server node.
 * @throws what `runNode` and `bootServer` throw
 */
export async function runServer(config: ServerConfig, context: CommandContext): Promise<void> {
  const { env, log } = context;
  const boot: Parameters<typeof runNode>[1] = async (life, cancelled) => {
    const { inputs, ...running } = await bootServer({ config, env, life, cancelled, log });
    return { paths: inputs.paths, ...running, readyText: () => renderReady(inputs) };
  };
  await runNode('rfo server', boot, context);
}
