import { fail } from '@rfo/foundation';
import type { Component } from './component.ts';

/**
 * The components such that each comes after what it needs.
 * Throws `internal` for a name that is there twice, a need that does not exist, or needs that go in a circle: all are defects of the caller.
 */
export function inOrder(components: readonly Component[]): Component[] {
  const byName = new Map(components.map((component) => [component.name, component]));
  if (byName.size < components.length) throw defect(`two components have the same name: ${components.map(({ name }) => name).join(', ')}`);
  const done = new Set<Component>();
  const visit = (component: Component, path: readonly string[]): void => {
    if (done.has(component)) return;
    const here = [...path, component.name];
    if (path.includes(component.name)) {
      throw defect(`components need each other in a circle: ${here.slice(here.indexOf(component.name)).join(' → ')}`);
    }
    for (const need of component.needs) {
      const needed = byName.get(need);
      if (needed === undefined) throw defect(`component ${component.name} needs ${need}, which does not exist`);
      visit(needed, here);
    }
    done.add(component);
  };
  for (const component of components) visit(component, []);
  return [...done];
}

function defect(what: string): Error {
  return fail('internal', { what });
}
