import type { Log } from '@rfo/foundation';
import { adoptProcess, stopProcess } from '@rfo/process';
import { processOf } from './apply-rendered.ts';
import type { Component } from './component.ts';

/**
 * Ends what an earlier rfo left running for those of the components that are to be replaced; what would be adopted runs on. For those that need a
 * component which is about to be replaced itself: served to the last, they end at once, and it does not have to wait for its clients.
 * etcd, for one, waits for the API server's watches until it is killed.
 */
export async function endChanged(components: readonly Component[], log: Log): Promise<void> {
  const left = components.map(async (component) => {
    if (component.kind !== 'process') return;
    const spec = processOf(await component.render());
    const adoption = await adoptProcess(spec);
    if (adoption.kind === 'changed') await stopProcess(adoption.process, spec, log.part(component.name));
    if (adoption.kind === 'adopted') adoption.process.forget();
  });
  await Promise.all(left);
}
