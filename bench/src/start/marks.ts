/** From what the observer saw to the moments that are compared: pure, so that what is measured can be read and tested in one place. */

/** One thing that the observer saw, with the moment (milliseconds since 1970) at which it saw it. */
export type Fact = { readonly at: number } & (
  | { readonly kind: 'readyz' }
  | { readonly kind: 'readyz-waits'; readonly checks: string }
  | { readonly kind: 'deployment-created' }
  | { readonly kind: 'dns' }
  | { readonly kind: 'node'; readonly ready: boolean; readonly podCidr: boolean }
  | { readonly kind: 'pod'; readonly pod: PodFact }
);

export type PodFact = {
  /** `namespace/name`. */
  readonly name: string;
  readonly scheduled: boolean;
  /** Phase Running, all containers running, condition Ready. */
  readonly ready: boolean;
  /** Running containers, by the runtime's own ids. */
  readonly containers: readonly string[];
  /** How many containers the pod is to have. */
  readonly wanted: number;
};

/** The Deployment that the observer makes: its name, and how many pods it has. */
export const deployment = { name: 'bench', namespace: 'default', replicas: 2 } as const;

/** The moments of a cold start. */
export const coldMarks = {
  readyz: (facts: readonly Fact[]) => firstAt(facts, ({ kind }) => kind === 'readyz'),
  nodeReady: (facts: readonly Fact[]) => firstAt(facts, (fact) => fact.kind === 'node' && fact.ready),
  deployment: (facts: readonly Fact[]) => nthPodAt(facts, deployment.replicas, ({ name, ready }) => isOurs(name) && ready),
  dns: (facts: readonly Fact[]) => firstAt(facts, ({ kind }) => kind === 'dns'),
} as const;

/** The moments of a restart. `before`: the containers that ran when the power was cut. */
export function restartMarks(before: ReadonlySet<string>) {
  const again = (pod: PodFact): boolean => isOurs(pod.name) && pod.ready && isNew(pod, before);
  return {
    readyz: coldMarks.readyz,
    pod: (facts: readonly Fact[]) => nthPodAt(facts, 1, again),
  } as const;
}

/** Whether at least `count` pods are known and the containers of all of them run, none of them one of `before`. */
export function allRun(facts: readonly Fact[], count: number, before: ReadonlySet<string>): boolean {
  const pods = latestPods(facts);
  return pods.length >= count && pods.every((pod) => pod.wanted > 0 && pod.containers.length === pod.wanted && isNew(pod, before));
}

/** The pods as they were seen last. */
export function latestPods(facts: readonly Fact[]): readonly PodFact[] {
  const pods = new Map<string, PodFact>();
  for (const fact of facts) if (fact.kind === 'pod') pods.set(fact.pod.name, fact.pod);
  return [...pods.values()];
}

/** What happened in between, for the eyes of somebody who looks for lost time: label and moment, in order. */
export function steps(facts: readonly Fact[]): readonly { readonly label: string; readonly at: number }[] {
  const seen = new Map<string, number>();
  const note = (label: string, at: number): void => {
    if (!seen.has(label)) seen.set(label, at);
  };
  for (const fact of facts) {
    if (fact.kind === 'node') {
      note('node registered', fact.at);
      if (fact.podCidr) note('node has its pod range', fact.at);
      if (fact.ready) note('node Ready', fact.at);
    } else if (fact.kind === 'pod') {
      note(`pod ${fact.pod.name} exists`, fact.at);
      if (fact.pod.scheduled) note(`pod ${fact.pod.name} scheduled`, fact.at);
      if (fact.pod.ready) note(`pod ${fact.pod.name} ready`, fact.at);
    } else if (fact.kind === 'readyz-waits') note(`readyz waits for ${shorten(fact.checks)}`, fact.at);
    else note(fact.kind, fact.at);
  }
  return [...seen].map(([label, at]) => ({ label, at }));
}

function shorten(checks: string): string {
  const names = checks.split(' ').map((name) => name.replace('poststarthook/', ''));
  return names.length > 3 ? `${names.length} checks` : names.join(', ');
}

function isOurs(name: string): boolean {
  return name.startsWith(`${deployment.namespace}/${deployment.name}-`);
}

function isNew({ containers }: PodFact, before: ReadonlySet<string>): boolean {
  return containers.length > 0 && containers.every((id) => !before.has(id));
}

function firstAt(facts: readonly Fact[], matches: (fact: Fact) => boolean): number | undefined {
  return facts.find(matches)?.at;
}

/** When the count-th different pod matched for the first time. */
function nthPodAt(facts: readonly Fact[], count: number, matches: (pod: PodFact) => boolean): number | undefined {
  const matching = new Set<string>();
  for (const fact of facts) {
    if (fact.kind !== 'pod' || !matches(fact.pod)) continue;
    matching.add(fact.pod.name);
    if (matching.size === count) return fact.at;
  }
  return undefined;
}
