import type { AgentConfig } from '@rfo/schema';
import { bootAgent } from '../agent/boot.ts';
import type { CommandContext } from '../cli/context.ts';
import { runNode } from './run-node.ts';

/**
 * `rfo agent`: runs a node without a control plane.
 * @throws what `runNode` and `bootAgent` throw
 */
export async function runAgent(config: AgentConfig, context: CommandContext): Promise<void> {
  const { env, log } = context;
  await runNode('rfo agent', (life, cancelled) => bootAgent({ config, env, life, cancelled, log }), context);
}
