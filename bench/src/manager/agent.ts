/** What the agent costs the cluster that it is in. */
import { sleep } from '@rfo/foundation';
import { names, type Sample } from './figures.ts';
import { type Layout, memoryOf, type Program, run } from './programs.ts';
import type { Stage } from './stage.ts';

/** Milliseconds of quiet before it is measured. */
const quiet = 10_000;

/** Ends the agent: its Node is measured alone after it. */
export async function measureAgent(
  { life }: Stage,
  agent: { readonly program: Program; readonly layout: Layout },
): Promise<readonly Sample[]> {
  await sleep(quiet, life.signal);
  const { pss, anonymous } = await memoryOf(agent.program.pid);
  await agent.program.stop();
  const script = "console.log('here'); setInterval(() => undefined, 1000)";
  const { command, env, node: binary } = agent.layout;
  const node = run([binary, ...command.slice(1, -1), '-e', script], env, life);
  await node.said(/here/);
  await sleep(quiet / 5, life.signal);
  const floor = await memoryOf(node.pid);
  await node.stop();
  return [
    { what: names.agentPss, unit: 'MB', value: pss, floors: { 'Node alone': floor.pss } },
    { what: names.agentAnonymous, unit: 'MB', value: anonymous, floors: { 'Node alone': floor.anonymous } },
  ];
}
