/** Who may do what: in the clusters, and with the objects of the manager itself. Every replica answers from its own stores. */
import type { Life, Log } from '@rfo/foundation';
import type { Caller } from '../identity/caller.ts';
import type { Objects } from '../objects/open-objects.ts';
import { type Change, checkChange, checkEscalation, checkOver } from './check-change.ts';
import { diffPolicy, holdersOf, isAmong } from './diff-policy.ts';
import { type Entry, enter } from './enter.ts';
import { followPolicy, type PolicyObjects } from './follow-policy.ts';
import { keepAdministrator, watchAdministrators } from './keep-administrator.ts';
import { may, type Request } from './may.ts';
import type { Holder, Subject } from './policy.ts';
import type { PolicyRule } from './policy-rule.ts';

/** Whether this is about a caller. */
type Affected = (caller: Holder) => boolean;

export type Rights = {
  /**
   * The groups to impersonate for the caller in a cluster; undefined: he may not enter.
   * @param namespace of the request if it is about one: rights in other namespaces are left out, and what was taken away from this one is gone at
   *   once, before the cluster itself has heard of it
   */
  readonly in: (caller: Caller, cluster: string, namespace?: string) => Entry | undefined;
  /** Whether the caller may do this to objects of the manager. To list what may be seen, ask `get` with the name of each. */
  readonly may: (caller: Caller, request: Request) => boolean;
  /** Passes if the caller holds these rules himself, with `project` also by his roles there. Throws rights-escalation. */
  readonly checkEscalation: (caller: Caller, wanted: readonly PolicyRule[], where?: { readonly project?: string }) => void;
  /**
   * To be asked before a RoleTemplate, GlobalRoleBinding, Project or User is written, after `may`. Throws rights-escalation, rights-needs-global,
   * rights-last-administrator, role-built-in, role-in-use, role-unusable.
   */
  readonly checkChange: (caller: Caller, change: Change) => void;
  /** To be asked before somebody acts on another's account (password, tokens, sessions). Throws rights-escalation. */
  readonly checkOver: (caller: Caller, user: Holder) => void;
  /**
   * Tells that callers may have lost something: what they have open is to be looked at again. Told at the change, and again when clusters have
   * heard of it, for what was opened in between. `touched` names those too who have won something. Gives the function that ends it.
   */
  readonly onChange: (listener: (affected: Affected, touched: Affected) => void) => () => void;
};

/** Follows the objects until the life ends. */
export function createRights({
  objects,
  life,
  log,
}: {
  readonly objects: PolicyObjects & Pick<Objects, 'users'>;
  readonly life: Life;
  readonly log: Log;
}): Rights {
  const policy = followPolicy({ objects, life, log });
  watchAdministrators({ objects, life, log });
  const listeners = new Set<(affected: Affected, touched: Affected) => void>();
  const tell = (lost: ReadonlySet<Subject>, touched: ReadonlySet<Subject> = lost): void => {
    if (touched.size === 0) return;
    for (const listener of listeners) {
      try {
        listener(
          (caller) => isAmong(lost, caller),
          (caller) => isAmong(touched, caller),
        );
      } catch (error) {
        // One that fails must not keep the others from ending what they hold open.
        log.error('a listener to changes of rights failed', { error });
      }
    }
  };

  /** What became less but still holds in clusters that have not heard of it. */
  const awaited = { roles: new Set<string>(), projects: new Set<string>() };
  policy.onChange((now, before) => {
    const { lost, touched, lessened } = diffPolicy(before, now);
    for (const name of lessened.roles) if (isAwaited(objects.roleTemplates.get(name))) awaited.roles.add(name);
    for (const name of lessened.projects) if (isAwaited(objects.projects.get(name))) awaited.projects.add(name);
    tell(lost, touched);
  });
  life.defer(
    objects.projects.onChange((name, project) => {
      if (!awaited.projects.has(name)) return;
      if (project === undefined || isInForce(project)) awaited.projects.delete(name);
      if (project !== undefined) tell(holdersOf(policy.now(), { roles: new Set(), projects: new Set([name]) }));
    }),
  );
  life.defer(
    objects.roleTemplates.onChange((name, role) => {
      if (!awaited.roles.has(name)) return;
      if (role === undefined || isInForce(role)) awaited.roles.delete(name);
      if (role !== undefined) tell(holdersOf(policy.now(), { roles: new Set([name]), projects: new Set() }));
    }),
  );

  return {
    in: (caller, cluster, namespace) => enter(policy.now(), caller, cluster, namespace),
    may: (caller, request) => may(policy.now(), caller, request),
    checkEscalation: (caller, wanted, where) => checkEscalation(policy.now(), caller, wanted, where),
    checkChange: (caller, change) => {
      checkChange(policy.now(), caller, change);
      keepAdministrator({ users: objects.users.list(), bindings: objects.globalRoleBindings.list() }, change);
    },
    checkOver: (caller, user) => checkOver(policy.now(), caller, user),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

type Reported = {
  readonly metadata: { readonly generation?: number };
  readonly status?: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly observedGeneration?: number }[];
  };
};

function isAwaited(object: Reported | undefined): boolean {
  return object !== undefined && !isInForce(object);
}

/** Whether every cluster has what the object says now. */
function isInForce({ metadata, status }: Reported): boolean {
  const ready = status?.conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && ready.observedGeneration === metadata.generation;
}
