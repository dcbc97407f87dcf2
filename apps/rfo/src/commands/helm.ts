import type { CommandContext } from '../cli/context.ts';
import { adminKubeconfig, runTool } from '../cli/run-tool.ts';

/** `rfo helm`: with the administrator's kubeconfig of this node. */
export function runHelm(context: CommandContext): Promise<number> {
  return runTool('helm', context, (node) => adminKubeconfig(node, context));
}
