// A list that is followed, as `--watch` prints it.
import type { CommandContext } from '../../cli/context.ts';
import type { Change, Item, Step } from './follow-list.ts';
import type { Format } from './output.ts';
import { streamOf } from './stream-output.ts';

/** Prints the list, and then a line or an object for each change, until it is interrupted. */
export async function showFollowed(
  steps: AsyncIterable<Step>,
  shown: {
    readonly format: Format;
    readonly titles: readonly string[];
    readonly row: (item: Item) => readonly string[];
    /** Tell of each what has happened to it. */
    readonly events: boolean;
  },
  { stdout, stderr }: Pick<CommandContext, 'stdout' | 'stderr'>,
): Promise<number> {
  const { format, titles, row, events } = shown;
  const show = streamOf<Change>(format, {
    titles: [...(events ? ['EVENT'] : []), ...titles],
    row: ({ type, object }) => [...(events ? [type] : []), ...row(object)],
    data: (change) => (events ? change : change.object),
  });
  let begun = false;
  for await (const { changes, total } of steps) {
    stdout.write(await show(changes));
    if (!begun && changes.length < total)
      stderr.write(`rfo: The first ${changes.length} of ${total} are followed: give --limit, or a --filter.\n`);
    begun = true;
  }
  return 0;
}
