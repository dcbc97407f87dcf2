/** Keeps the policy equal to what the objects say. It is computed when it is asked for after a change, so no answer is older than the stores. */
import type { Life, Log } from '@rfo/foundation';
import type { Objects } from '../objects/open-objects.ts';
import { computePolicy, type Policy } from './policy.ts';

export type PolicyObjects = Pick<Objects, 'roleTemplates' | 'globalRoleBindings' | 'projects'>;

export type FollowedPolicy = {
  readonly now: () => Policy;
  /** Whether everybody has been told of it as it is now. */
  readonly isTold: () => boolean;
  /** Tells every change once, soon after it; several that come together are told as one. Gives the function that ends it. */
  readonly onChange: (listener: (now: Policy, before: Policy) => void) => () => void;
};

export function followPolicy({
  objects,
  life,
  log,
}: {
  readonly objects: PolicyObjects;
  readonly life: Life;
  readonly log: Log;
}): FollowedPolicy {
  const listeners = new Set<(now: Policy, before: Policy) => void>();
  let current = computePolicy(read(objects));
  let told = current;
  let stale = false;
  let planned = false;

  const now = (): Policy => {
    if (stale) {
      stale = false;
      current = computePolicy(read(objects));
    }
    return current;
  };
  const tell = (): void => {
    planned = false;
    if (life.signal.aborted) return;
    const [before, after] = [told, now()];
    told = after;
    for (const listener of listeners) {
      try {
        listener(after, before);
      } catch (error) {
        // One that fails must not keep the others from hearing that somebody lost a right.
        log.error('a listener to changes of rights failed', { error });
      }
    }
  };
  const note = (): void => {
    stale = true;
    if (planned) return;
    planned = true;
    setImmediate(tell);
  };

  for (const store of [objects.roleTemplates, objects.globalRoleBindings, objects.projects]) {
    life.defer(
      store.onChange((_, is, was) => {
        // Most changes are of a status, and say nothing about rights.
        if (is?.metadata.generation !== was?.metadata.generation || is?.metadata.uid !== was?.metadata.uid) note();
      }),
    );
  }
  return {
    now,
    isTold: () => !planned,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function read({ roleTemplates, globalRoleBindings, projects }: PolicyObjects) {
  return { roleTemplates: roleTemplates.list(), globalRoleBindings: globalRoleBindings.list(), projects: projects.list() };
}
