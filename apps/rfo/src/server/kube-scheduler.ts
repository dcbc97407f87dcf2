import { renderArguments } from './arguments.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { controlLoopArguments } from './kube-control-loop.ts';

/** The arguments of kube-scheduler. */
export function kubeSchedulerArguments(inputs: ServerInputs): string[] {
  const loop = { name: 'kube-scheduler', client: 'scheduler', port: serverPorts.scheduler } as const;
  return renderArguments(controlLoopArguments(inputs, loop), inputs.config['kube-scheduler-arg']);
}
