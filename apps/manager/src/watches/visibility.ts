/**
 * Who may see which objects of an index. The index is fed with the rights of the agent; what is shown out of it are only objects that the API server of the
 * cluster would list for the caller, by its own word.
 */
import { fail, type Life } from '@rfo/foundation';
import type { Connections } from '../clusters/connections.ts';
import type { Rights as Groups } from '../front-door/admit.ts';
import { askAccess } from '../front-door/ask-access.ts';
import { personOf } from '../front-door/impersonation.ts';
import type { Caller } from '../identity/caller.ts';
import type { Rights } from '../rights/create-rights.ts';
import { awayOf } from './resource-index.ts';
import type { ResourceName } from './served-resource.ts';

export type Question = {
  readonly caller: Caller;
  readonly cluster: string;
  readonly resource: ResourceName;
  readonly verb: 'list' | 'watch';
  /** Left out: in all namespaces, or of objects without one. */
  readonly namespace?: string | undefined;
};

export type Visibility = {
  /** Passes if the caller has anything to do in the cluster. Throws cluster-forbidden, token-elsewhere. */
  readonly enter: (caller: Caller, cluster: string, namespace?: string) => void;
  /**
   * Whether the caller may. An answer holds until the rights of the caller change, and no longer than 30 s: what is changed in the cluster itself is not told here.
   * Throws cluster-forbidden, token-elsewhere, cluster-away, cluster-broke-off, kube-unreachable.
   */
  readonly may: (question: Question) => Promise<boolean>;
};

type Answer = { readonly allowed: boolean; readonly until: number; readonly caller: Caller };

/** Milliseconds that an answer is believed. */
export const believed = 30_000;
/** Answers that are kept at most. */
const kept = 20_000;

export function createVisibility(parts: {
  readonly connections: Pick<Connections, 'clientOf' | 'state'>;
  readonly rights: Groups & Pick<Rights, 'onChange'>;
  readonly life: Life;
}): Visibility {
  const { connections, rights, life } = parts;
  const answers = new Map<string, Answer>();
  const asked = new Map<string, Promise<boolean>>();
  let epoch = 0;
  life.defer(
    rights.onChange((_, touched) => {
      // What is being asked was asked before, and is asked again.
      epoch++;
      asked.clear();
      for (const [key, { caller }] of answers) if (touched(caller)) answers.delete(key);
    }),
  );

  const groupsOf = (caller: Caller, cluster: string, namespace?: string): readonly string[] => {
    if (caller.token.clusters?.includes(cluster) === false) throw fail('token-elsewhere', { cluster });
    const entry = rights.in(caller, cluster, namespace);
    if (entry === undefined) throw fail('cluster-forbidden', { username: caller.username, cluster });
    return entry.groups;
  };

  const ask = async ({ caller, cluster, resource, verb, namespace }: Question, groups: readonly string[]): Promise<boolean> => {
    const client = connections.clientOf(cluster);
    if (client === undefined) throw awayOf(cluster, connections);
    const { group, resource: plural } = resource;
    const attributes = { verb, resource: plural, ...(group !== '' && { group }), ...(namespace !== undefined && { namespace }) };
    return await askAccess(client, { person: personOf(caller, groups), attributes, cluster, signal: life.signal });
  };

  const may = async (question: Question): Promise<boolean> => {
    const { caller, cluster, resource, verb, namespace } = question;
    const groups = groupsOf(caller, cluster, namespace);
    const key = JSON.stringify([cluster, resource.group, resource.resource, verb, namespace, caller.user, caller.token.id, groups]);
    const known = answers.get(key);
    if (known !== undefined && known.until > performance.now()) return known.allowed;
    const began = epoch;
    const running = asked.get(key) ?? ask(question, groups);
    asked.set(key, running);
    const allowed = await running.finally(() => asked.get(key) === running && asked.delete(key));
    if (epoch !== began) return await may(question);
    answers.delete(key);
    answers.set(key, { allowed, until: performance.now() + believed, caller });
    const [oldest] = answers.keys();
    if (answers.size > kept && oldest !== undefined) answers.delete(oldest);
    return allowed;
  };

  return { may, enter: (caller, cluster, namespace) => void groupsOf(caller, cluster, namespace) };
}
