// A list of the manager and its changes, over as many connections as it takes.
import type { CommandContext } from '../../cli/context.ts';
import type { ManagerClient } from './client.ts';
import { comeBack } from './come-back.ts';
import { fieldOf } from './output.ts';
import type { ListMessage, ListRequest } from './watch-messages.ts';

export type Item = Readonly<Record<string, unknown>>;
/** As Kubernetes calls them. What fits no longer is deleted from the list, whether it is there or not; then it is shown as it was. */
export type Change = { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Item };
export type Step = {
  readonly changes: readonly Change[];
  /** Of all that fits, also of what is not in the page. */
  readonly total: number;
};

/**
 * Gives the whole list first, as what was added to nothing, and then what changes. It never just ends.
 * @throws what `messages` of the client throws: before the list is there anything, later only what is not cured by trying again
 */
export async function* followList(
  client: Pick<ManagerClient, 'messages'>,
  request: Omit<ListRequest, 'known'>,
  context: Pick<CommandContext, 'life' | 'stderr'>,
): AsyncGenerator<Step> {
  const link = comeBack(context);
  let held: Held | undefined;
  for (;;) {
    try {
      const known = held === undefined ? {} : { known: versionsIn(held) };
      for await (const message of client.messages({ ...request, ...known })) {
        if (message.type === 'interrupted') {
          link.interrupted(`${message.message}.`);
          continue;
        }
        link.well();
        const now = apply(held ?? new Map(), message);
        const changes = changesBetween(held ?? new Map(), now);
        const begins = held === undefined;
        held = now;
        if (begins || changes.length > 0) yield { changes, total: message.total };
      }
    } catch (error) {
      if (held === undefined) throw error;
      await link.wait(error);
    }
  }
}

/** By key, in order. */
type Held = ReadonlyMap<string, Item>;

/** The pure part: the page as it is after a message. */
function apply(before: Held, message: Exclude<ListMessage, { readonly type: 'interrupted' }>): Held {
  const old = message.type === 'snapshot' ? new Map<string, Item>() : before;
  const order = message.order ?? [...before.keys()];
  return new Map(
    order.flatMap((key): [string, Item][] => {
      const item = message.objects[key] ?? old.get(key);
      return typeof item === 'object' && item !== null ? [[key, item as Item]] : [];
    }),
  );
}

function changesBetween(before: Held, now: Held): readonly Change[] {
  const gone = [...before].filter(([key]) => !now.has(key)).map(([, object]): Change => ({ type: 'DELETED', object }));
  const others = [...now].flatMap(([key, object]): readonly Change[] => {
    const old = before.get(key);
    if (old === undefined) return [{ type: 'ADDED', object }];
    return old === object || versionOf(old) === versionOf(object) ? [] : [{ type: 'MODIFIED', object }];
  });
  return [...gone, ...others];
}

function versionsIn(held: Held): Record<string, string> {
  return Object.fromEntries([...held].map(([key, item]) => [key, versionOf(item)]));
}

/** Of an object of Kubernetes, or of one of the manager. */
function versionOf(item: Item): string {
  return String(fieldOf(item, 'metadata', 'resourceVersion') ?? fieldOf(item, 'resourceVersion') ?? '');
}
