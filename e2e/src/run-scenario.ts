/** Runs one scenario in a lab of its own and reports it line by line. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, Life, systemCode } from '@rfo/foundation';
import { makeNode, type Node } from '../harness/node.ts';
import type { Scenario, ScenarioContext } from '../harness/scenario.ts';
import { assertClean, createLab, type Host, type Lab, repository } from '../lab/index.ts';

export type RunScenarioOptions = {
  /** Leaves the lab of a failed scenario running. */
  readonly keep: boolean;
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
};

/** @returns whether it passed */
export async function runScenario(scenario: Scenario, options: RunScenarioOptions): Promise<boolean> {
  const { keep, signal, print } = options;
  const begin = performance.now();
  print(`== ${scenario.name}: ${scenario.about}`);
  const life = new Life();
  // What hangs on this life is stopped before the lab is removed below it.
  const scope = life.child();
  const late = setTimeout(
    () =>
      void scope.end(fail('timeout', { what: `scenario ${scenario.name}`, seconds: scenario.timeout / 1000, cure: 'See the last step' })),
    scenario.timeout,
  );
  const interrupt = (): void => void scope.end(new Error('interrupted'));
  signal.addEventListener('abort', interrupt, { once: true });
  const nodes: Node[] = [];
  const failures: unknown[] = [];
  const lab = await createLab({ name: scenario.name, life });
  try {
    signal.throwIfAborted();
    const context = makeContext({ lab, life: scope, print, nodes, failures });
    await withinLife(scenario.run(context), scope.signal);
    scope.signal.throwIfAborted();
  } catch (error) {
    failures.push(error);
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', interrupt);
  }
  const failed = failures.length > 0;
  if (failed) await reportFailure({ scenario, failures, nodes, print });
  if (failed && keep) print(`   kept: ${await lab.keep()}   (remove it with: npm run lab -- reap ${lab.dir})`);
  try {
    await life.end();
    if (!(failed && keep)) await assertClean(lab.trace);
  } catch (error) {
    print(`   ✘ clean-up: ${describe(error)}`);
    failures.push(error);
  }
  const passed = failures.length === 0;
  print(`${passed ? '✔' : '✘'} ${scenario.name} ${seconds(begin)}`);
  return passed;
}

/** A failed `check`: its reason stands below its line already. */
class ShownFailure extends Error {}

type ContextInputs = Pick<ScenarioContext, 'lab' | 'life'> & {
  readonly print: (line: string) => void;
  readonly nodes: Node[];
  readonly failures: unknown[];
};

function makeContext({ lab, life, print, nodes, failures }: ContextInputs): ScenarioContext {
  const step: ScenarioContext['step'] = async (title, act) => {
    life.signal.throwIfAborted();
    const begin = performance.now();
    try {
      const result = await withinLife(act(), life.signal);
      print(`   ✔ ${title} ${seconds(begin)}`);
      return result;
    } catch (error) {
      print(`   ✘ ${title} ${seconds(begin)}`);
      throw error;
    }
  };
  return {
    lab,
    life,
    step,
    check: async (title, act) => {
      try {
        await step(title, act);
      } catch (error) {
        life.signal.throwIfAborted();
        print(`     ${describe(error)}`);
        failures.push(new ShownFailure(title));
      }
    },
    note: (text) => print(`     ${text}`),
    addNode: async (name, { full = false, ...options } = {}) => {
      const host = full ? await addBooted(lab, name) : await lab.addHost({ name });
      const node = await makeNode(host, { ...options, signal: life.signal });
      nodes.push(node);
      return node;
    },
  };
}

async function addBooted(lab: Lab, name: string): Promise<Host> {
  const host = await lab.addFullHost({ name });
  await host.untilBooted();
  return host;
}

/** A step that ignores the signal must not outlive the scenario's time. */
async function withinLife<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const abort = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, ended.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

type Failure = {
  readonly scenario: Scenario;
  readonly failures: readonly unknown[];
  readonly nodes: readonly Node[];
  readonly print: (line: string) => void;
};

/** Shows the errors and the ends of the logs, and saves all logs where the next run of the scenario replaces them. */
async function reportFailure({ scenario, failures, nodes, print }: Failure): Promise<void> {
  for (const node of nodes) print(await node.logTails(6));
  const wreck = join(repository, '.cache/e2e', scenario.name);
  await rm(wreck, { recursive: true, force: true });
  for (const { host } of nodes) {
    await mkdir(join(wreck, host.name), { recursive: true });
    for (const folder of ['logs', 'disk/var-lib-rancher/rfo/logs', 'disk/var-log/pods']) {
      await copyIfThere(join(host.dir, folder), join(wreck, host.name, folder.replaceAll('/', '-')));
    }
  }
  for (const failure of failures) if (!(failure instanceof ShownFailure)) print(`   ${describe(failure)}`);
  print(`   all logs: ${wreck}`);
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true, verbatimSymlinks: true });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll('\n', '\n     ');
}

function seconds(begin: number): string {
  return `(${((performance.now() - begin) / 1000).toFixed(1)} s)`;
}
