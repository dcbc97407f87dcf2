import type { CommandContext } from '../cli/context.ts';
import { runTool } from '../cli/run-tool.ts';

/** `rfo ctr`: on the node's containerd, in the namespace of Kubernetes. */
export function runCtr(context: CommandContext): Promise<number> {
  return runTool('ctr', context, ({ config, paths }) => ({
    CONTAINERD_ADDRESS: config['container-runtime-endpoint']?.replace(/^unix:\/\//, '') ?? paths.agent.containerdSocket,
    CONTAINERD_NAMESPACE: 'k8s.io',
  }));
}
