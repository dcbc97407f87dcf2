import type { CommandContext } from '../cli/context.ts';
import { runTool } from '../cli/run-tool.ts';

/** `rfo crictl`: with the settings that the node wrote for it. */
export function runCrictl(context: CommandContext): Promise<number> {
  return runTool('crictl', context, ({ paths }) => ({ CRI_CONFIG_FILE: paths.agent.crictlConfig }));
}
