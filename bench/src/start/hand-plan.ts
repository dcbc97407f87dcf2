/** What a hand needs to know to start a node: made from what a warm-up run of `rfo` left, carried out by `hand.ts`. */
import { basename, join } from 'node:path';
import { fail } from '@rfo/foundation';
import { asByHand } from './arguments.ts';
import { node } from './node-paths.ts';

export type HandProcess = { readonly path: string; readonly args: readonly string[] };

export const handProcessNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
  'kube-proxy',
  'flannel',
] as const;
export type HandProcessName = (typeof handProcessNames)[number];

export type HandPlan = {
  readonly processes: Readonly<Record<HandProcessName, HandProcess>>;
  readonly nodeName: string;
  readonly conflist: string;
  /** On the first start: image archives to import and manifests to apply. Later all of it is there already. */
  readonly first: { readonly archives: readonly string[]; readonly manifests: readonly string[] } | undefined;
};

export type HandPlanInputs = {
  /** Arguments, the program's path first, by the name of the component. */
  readonly argv: ReadonlyMap<string, readonly string[]>;
  /** Folder of upstream's separate binaries; without it the multicall binary that `rfo` ran is run. */
  readonly separate: string | undefined;
  /** Keep what `rfo` tunes and hardens. */
  readonly tuned: boolean;
  readonly nodeName: string;
  readonly conflist: string;
  readonly first: HandPlan['first'];
};

/** @throws internal when the warm-up run lacked a component */
export function handPlan({ argv, separate, tuned, nodeName, conflist, first }: HandPlanInputs): HandPlan {
  const processes = Object.fromEntries(handProcessNames.map((name) => [name, handProcess(name, argv.get(name), { separate, tuned })]));
  return { processes: processes as HandPlan['processes'], nodeName, conflist, first };
}

function handProcess(
  name: HandProcessName,
  argv: readonly string[] | undefined,
  { separate, tuned }: Pick<HandPlanInputs, 'separate' | 'tuned'>,
): HandProcess {
  const [path, ...args] = argv ?? [];
  if (path === undefined) throw fail('internal', { what: `the warm-up run of rfo had no ${name}` });
  const own = separate !== undefined && basename(path).startsWith('kube') ? join(separate, basename(path)) : path;
  const plain = tuned ? args : asByHand(name, args);
  return { path: own, args: name === 'flannel' ? plain.map(asAdministrator) : plain };
}

/** `rfo` gives flannel a user with few rights and makes the rights at each start; a hand does without that. */
function asAdministrator(argument: string): string {
  return argument.startsWith('--kubeconfig-file=') ? `--kubeconfig-file=${node.adminKubeconfig}` : argument;
}
