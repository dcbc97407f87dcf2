/** One page that a client follows: what it was told last, and what is different now. */

import { refusalText } from './refusal-text.ts';
import type { Item, Source, Window } from './source.ts';

export type Subscription = {
  readonly id: string;
  /** The next message, or undefined where there is nothing to tell. Throws what ends the subscription. */
  readonly render: () => string | undefined;
  readonly close: () => void;
};

/** @param known what the client says that it has: versions by key */
export function createSubscription({
  id,
  source,
  known,
}: {
  readonly id: string;
  readonly source: Source;
  readonly known?: Readonly<Record<string, string>> | undefined;
}): Subscription {
  let told: Told | undefined = known === undefined ? undefined : { versions: new Map(Object.entries(known)), order: '', counted: '' };
  let interrupted = false;
  return {
    id,
    close: source.close,
    render: () => {
      const problem = source.problem();
      if (problem !== undefined) {
        if (interrupted) return undefined;
        interrupted = true;
        return JSON.stringify({ type: 'interrupted', id, ...refusalText(problem) });
      }
      const window = source.page();
      if (window === undefined) return undefined;
      const before = told;
      told = toldOf(window);
      const again = interrupted;
      interrupted = false;
      return before === undefined ? renderSnapshot(id, window) : renderChanges(id, window, { before, now: told, again });
    },
  };
}

type Told = {
  readonly versions: ReadonlyMap<string, string>;
  /** The keys as JSON. */
  readonly order: string;
  /** Total and cursor as they stand in the message. */
  readonly counted: string;
};

function toldOf({ items, total, next }: Window): Told {
  return {
    versions: new Map(items.map(({ key, version }) => [key, version])),
    order: JSON.stringify(items.map(({ key }) => key)),
    counted: `"total":${total}${next === undefined ? '' : `,"next":${JSON.stringify(next)}`}`,
  };
}

function renderSnapshot(id: string, window: Window): string {
  const { counted, order } = toldOf(window);
  return `{"type":"snapshot","id":${JSON.stringify(id)},${counted},"order":${order},"objects":${renderObjects(window.items)}}`;
}

/** @param state.again to be told even where nothing is different: it is followed again */
function renderChanges(
  id: string,
  { items }: Window,
  { before, now, again }: { readonly before: Told; readonly now: Told; readonly again: boolean },
): string | undefined {
  const different = items.filter(({ key, version }) => before.versions.get(key) !== version);
  const order = before.order === now.order ? '' : `"order":${now.order},`;
  if (different.length === 0 && order === '' && before.counted === now.counted && !again) return undefined;
  return `{"type":"changes","id":${JSON.stringify(id)},${now.counted},${order}"objects":${renderObjects(different)}}`;
}

/** The objects are JSON already. */
function renderObjects(items: readonly Item[]): string {
  return `{${items.map(({ key, text }) => `${JSON.stringify(key)}:${text}`).join(',')}}`;
}
