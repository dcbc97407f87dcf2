/** `rfo check`: tells what this host lacks to run a node with this configuration, and repairs what can be repaired. */
import { RfoError } from '@rfo/foundation';
import type { CheckConfig } from '@rfo/schema';
import type { CommandContext } from '../cli/context.ts';
import { type Check, type CheckInputs, type Finding, failed } from '../host/check/finding.ts';
import { checkDiskSpace, checkFolders } from '../host/check/folders.ts';
import { checkKernel, checkModulesAndTools } from '../host/check/kernel.ts';
import { checkNamedFiles } from '../host/check/named-files.ts';
import { checkNames } from '../host/check/names.ts';
import { checkPorts, serverPortsOf } from '../host/check/ports.ts';
import { renderFindings } from '../host/check/render-findings.ts';
import { checkResources } from '../host/check/resources.ts';
import { checkRuntime } from '../host/check/runtime.ts';
import { checkServices } from '../host/check/services.ts';
import { checkKernelDefaults, checkWatchLimits } from '../host/check/settings.ts';
import { detectHost, detectOptionsOf } from '../host/facts.ts';
import { pathsOf } from '../paths.ts';

/** What every server needs. */
const serverChecks: readonly Check[] = [checkPorts, checkFolders, checkNamedFiles, checkDiskSpace, checkResources, checkNames];
/** What only a node needs, on which pods run. */
const nodeChecks: readonly Check[] = [
  checkKernel,
  checkRuntime,
  checkModulesAndTools,
  checkKernelDefaults,
  checkWatchLimits,
  checkServices,
];

/** Exit code 0, or 3 when a node could not run here. With `--fix` the repairs come first, and the table shows what is left. */
export async function runCheck(config: CheckConfig, { stdout, stderr }: CommandContext): Promise<number> {
  let findings = await lookAtHost(config);
  const fixable = config.fix ? findings.filter(({ fix }) => fix !== undefined) : [];
  if (fixable.length > 0) {
    for (const done of await repair(fixable)) stderr.write(`${done}\n`);
    findings = await lookAtHost(config);
  }
  stdout.write(renderFindings(findings));
  return findings.some(({ level }) => level === 'fail') ? 3 : 0;
}

async function lookAtHost(config: CheckConfig): Promise<Finding[]> {
  if (process.geteuid?.() !== 0) return [failed('rights', 'not root: most cannot be seen', 'Run it as root, for example with sudo')];
  const paths = pathsOf(config);
  try {
    const host = await detectHost(await detectOptionsOf({ config, paths }));
    const inputs: CheckInputs = { config, ports: serverPortsOf(config), paths, host };
    const checks = config['disable-agent'] ? serverChecks : [...nodeChecks, ...serverChecks];
    return (await Promise.all(checks.map((check) => check(inputs)))).flat();
  } catch (error) {
    // Without an address, a name or cgroups there is nothing to judge the rest by.
    if (error instanceof RfoError) return [failed('host', error.message.slice(0, -` ${error.cure}.`.length), error.cure)];
    throw error;
  }
}

/** Several findings may share one repair: it is done once. */
async function repair(findings: readonly Finding[]): Promise<string[]> {
  const done: string[] = [];
  const repairs = new Map(findings.map(({ topic, fix }) => [fix, topic]));
  for (const [fix, topic] of repairs) if (fix !== undefined) done.push(`${topic}: ${await fix()}`);
  return done;
}
