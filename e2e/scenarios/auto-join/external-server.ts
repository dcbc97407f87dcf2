/** A control plane that stands outside its cluster: the one place that says how it is started. */
import { type Node, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';

export const externalConfig = { 'disable-agent': true } as const;

export async function startExternal({ life }: ScenarioContext, server: Node): Promise<void> {
  await server.start();
  await untilLine(server.service(), /: the node is ready$/, { signal: life.signal, within: 300_000 });
}
