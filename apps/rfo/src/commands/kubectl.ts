import type { CommandContext } from '../cli/context.ts';
import { adminKubeconfig, runTool } from '../cli/run-tool.ts';

/** `rfo kubectl`: with the administrator's kubeconfig of this node. */
export function runKubectl(context: CommandContext): Promise<number> {
  return runTool('kubectl', context, (node) => adminKubeconfig(node, context));
}
