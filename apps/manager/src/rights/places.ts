/** Tells which place belongs to which project. A namespace belongs to one alone, for its quota and its people do; whole clusters can be shared. */
import type { Project } from '@rfo/schema';

/** The whole cluster, or namespaces of it. */
export type Place = 'whole' | ReadonlySet<string>;
/** By the name of the cluster. */
export type Places = ReadonlyMap<string, Place>;

type AssignedPlaces = {
  readonly places: ReadonlyMap<string, Places>;
  /** What each project asks for in vain. */
  readonly conflicts: ReadonlyMap<string, readonly Conflict[]>;
};
export type Conflict = { readonly cluster: string; readonly namespace: string; readonly owner: string };

/** Of several projects that name a namespace the oldest has it; of those of the same second, the first by name. */
export function assignPlaces(projects: readonly Project[]): AssignedPlaces {
  const owners = new Map<string, string>();
  const places = new Map<string, Places>();
  const conflicts = new Map<string, Conflict[]>();
  for (const project of [...projects].sort(byAge)) {
    const { name } = project.metadata;
    const own = new Map<string, Place>();
    for (const { cluster, namespaces } of project.spec.places) {
      if (namespaces === undefined) {
        own.set(cluster, 'whole');
        continue;
      }
      const granted = new Set<string>();
      for (const namespace of namespaces) {
        const key = `${cluster}/${namespace}`;
        const owner = owners.get(key) ?? name;
        owners.set(key, owner);
        if (owner === name) granted.add(namespace);
        else conflicts.set(name, [...(conflicts.get(name) ?? []), { cluster, namespace, owner }]);
      }
      if (granted.size > 0) own.set(cluster, granted);
    }
    places.set(name, own);
  }
  return { places, conflicts };
}

/** Whether everything of `inner` is in `outer` too. */
export function placesInclude(outer: Places, inner: Places): boolean {
  return [...inner].every(([cluster, place]) => {
    const other = outer.get(cluster);
    if (other === undefined || other === 'whole' || place === 'whole') return other === 'whole';
    return place.isSubsetOf(other);
  });
}

function byAge(one: Project, other: Project): number {
  return (
    compare(one.metadata.creationTimestamp ?? '', other.metadata.creationTimestamp ?? '') || compare(one.metadata.name, other.metadata.name)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}
