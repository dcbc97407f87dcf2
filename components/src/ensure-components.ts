import { availableParallelism } from 'node:os';
import { fail } from '@rfo/foundation';
import { defaultMinor } from '../versions.ts';
import { buildComponent } from './build-component.ts';
import { type Architecture, architectures, type Component } from './component.ts';
import { type BuiltPart, composeBundle } from './compose-bundle.ts';
import { moduleFolder, repositoryRoot } from './paths.ts';
import { type Plan, planComponent } from './plan.ts';
import type { Report } from './progress.ts';
import { hostArchitecture } from './render-build.ts';
import { bundledComponents, components } from './table.ts';
import { checkLibraries } from './toolchain.ts';

export type BuildComponentsOptions = {
  /** Components by name. Default: what the bundle needs. */
  readonly names?: readonly string[];
  /** amd64, arm64 or riscv64. Default: this host's. */
  readonly arch?: string;
  readonly report: Report;
  readonly signal: AbortSignal;
};

/**
 * Builds what is stale and composes the bundle. Takes well under a second when nothing is.
 * @returns the path of the bundle: a link that always leads to the newest
 * @throws tool-missing before anything is built; build-failed; arch-unknown; the signal's reason
 */
export async function ensureComponents(options: Omit<BuildComponentsOptions, 'names'>): Promise<string> {
  const parts = await build(bundledComponents, options);
  const bundle = await composeBundle(parts, repositoryRoot);
  options.report({ type: 'bundled', ...bundle });
  return bundle.path;
}

/**
 * Builds the named components, also those that are in no bundle, and leaves the bundle alone.
 * @returns the folder of each one's outputs by its name
 * @throws component-unknown, and what ensureComponents throws
 */
export async function buildComponents(options: BuildComponentsOptions): Promise<ReadonlyMap<string, string>> {
  const wanted = options.names?.map(find) ?? bundledComponents;
  const parts = await build(wanted, options);
  return new Map(parts.map(({ plan }) => [plan.component.name, plan.folder]));
}

async function build(wanted: readonly Component[], options: BuildComponentsOptions): Promise<BuiltPart[]> {
  const { report, signal } = options;
  const arch = findArchitecture(options.arch);
  const plans = await Promise.all(
    wanted.map((component) => planComponent(component, { root: repositoryRoot, arch, minor: defaultMinor, signal })),
  );
  const stale = plans.filter((plan) => plan.record === undefined);
  await Promise.all(
    stale.map(({ component }) => checkLibraries(component, { folder: moduleFolder(repositoryRoot, component), arch, signal })),
  );
  const name = ({ component }: Plan): string => component.name;
  report({ type: 'planned', current: plans.filter((plan) => !stale.includes(plan)).map(name), stale: stale.map(name) });
  const built = new Map((await buildStale(stale, options)).map((part) => [part.plan, part]));
  return plans
    .map((plan) => (plan.record === undefined ? built.get(plan) : { plan, record: plan.record }))
    .filter((part) => part !== undefined);
}

type Lane = { readonly plans: readonly Plan[]; readonly parallel: number };

/** Two lanes: Kubernetes takes half the time of everything, so the rest is built beside it, never two Kubernetes builds at once. */
async function buildStale(stale: readonly Plan[], options: BuildComponentsOptions): Promise<BuiltPart[]> {
  const isKubernetes = ({ component }: Plan): boolean => component.name.startsWith('kubernetes');
  const cores = availableParallelism();
  const lanes: Lane[] = [
    { plans: stale.filter(isKubernetes), parallel: cores },
    { plans: stale.filter((plan) => !isKubernetes(plan)), parallel: Math.max(1, Math.floor(cores / 2)) },
  ];
  // The first failure ends the other lane as well: its error would otherwise come minutes later.
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const runLane = async ({ plans, parallel }: Lane): Promise<BuiltPart[]> => {
    const parts: BuiltPart[] = [];
    try {
      for (const plan of plans) parts.push({ plan, record: await buildComponent(plan, { parallel, report: options.report, signal }) });
    } catch (error) {
      failure.abort(error);
      throw error;
    }
    return parts;
  };
  const results = await Promise.allSettled(hasRoomForTwo() ? lanes.map(runLane) : [runLane({ plans: stale, parallel: cores })]);
  if (failure.signal.aborted) throw options.signal.aborted ? options.signal.reason : failure.signal.reason;
  return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

/** Linking Kubernetes takes about 3 GB, compiling beside it another one. */
function hasRoomForTwo(): boolean {
  return process.availableMemory() > 6e9;
}

function find(name: string): Component {
  const component = components.find((one) => one.name === name);
  if (component === undefined) throw fail('component-unknown', { name, known: components.map((one) => one.name).join(', ') });
  return component;
}

function findArchitecture(name: string | undefined): Architecture {
  if (name === undefined) return hostArchitecture();
  const arch = architectures.find((one) => one === name);
  if (arch === undefined) throw fail('arch-unknown', { arch: name, known: architectures.join(', ') });
  return arch;
}
