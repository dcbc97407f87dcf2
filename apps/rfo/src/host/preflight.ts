/** What is looked at before every start: cheap, and only what would make the start fail later with a worse message. */
import { fail, type Log } from '@rfo/foundation';
import type { CheckInputs } from './check/finding.ts';
import { checkFolders } from './check/folders.ts';
import { checkKernel } from './check/kernel.ts';
import { checkNamedFiles } from './check/named-files.ts';
import { clock } from './check/names.ts';
import { checkPorts } from './check/ports.ts';
import { checkRuntime } from './check/runtime.ts';

/**
 * Changes nothing.
 * @throws not-root, or host-not-ready with everything that is in the way
 */
export async function preflight(inputs: CheckInputs & { readonly log: Log }): Promise<void> {
  if (process.geteuid?.() !== 0) throw fail('not-root', { what: 'a node' });
  const agent = !inputs.config['disable-agent'];
  const findings = await Promise.all([
    checkPorts(inputs),
    checkFolders(inputs),
    checkNamedFiles(inputs),
    ...(agent ? [checkKernel(inputs), checkRuntime(inputs)] : []),
  ]);
  const failures = [...findings.flat(), clock(Date.now())].filter(({ level }) => level === 'fail');
  if (failures.length === 0) return;
  for (const { topic, found, cure } of failures) inputs.log.error(`${topic}: ${found}`, { cure });
  throw fail('host-not-ready', {
    problems: failures.map(({ found }) => found).join('; '),
    cure: failures.map(({ cure }) => cure).join('; '),
  });
}
