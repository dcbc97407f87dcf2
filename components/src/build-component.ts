import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import { isGo } from './component.ts';
import type { Plan } from './plan.ts';
import type { Report } from './progress.ts';
import { type BuildRecord, commandLine, linkedModules, type OutputRecord, sha256File } from './record.ts';
import { type BuildStep, renderBuild } from './render-build.ts';
import { openLog, runCommand } from './run-command.ts';

export type BuildOptions = { readonly parallel: number; readonly report: Report; readonly signal: AbortSignal };

/**
 * Builds one component into its folder of the cache, which appears whole or not at all.
 * @throws build-failed with the last lines of the compiler; the signal's reason
 */
export async function buildComponent(plan: Plan, options: BuildOptions): Promise<BuildRecord> {
  const { component } = plan;
  const part = dirname(plan.folder);
  await mkdir(part, { recursive: true });
  await removeAbandoned(part);
  const temporary = `${plan.folder}.${process.pid}.tmp`;
  options.report({ type: 'started', name: component.name });
  const started = performance.now();
  try {
    await mkdir(temporary);
    await using log = openLog(plan.log);
    const run = new Run(plan, options, log.line);
    const sources = await run.fetchModules();
    const steps = renderBuild({ component, arch: plan.arch, minor: plan.minor, out: temporary, sources, parallel: options.parallel });
    for (const step of steps) await run.step(step);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const record = await describe({ plan, steps, temporary, seconds, signal: options.signal });
    await writeFile(join(temporary, 'record.json'), `${JSON.stringify(record, undefined, 2)}\n`);
    await publish(temporary, plan.folder);
    await removeOld(part, basename(plan.folder));
    const bytes = Object.values(record.outputs).reduce((total, output) => total + output.bytes, 0);
    options.report({ type: 'built', name: component.name, seconds, bytes });
    return record;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!options.signal.aborted) options.report({ type: 'failed', name: component.name });
    throw error;
  }
}

/** The commands of one build: their output goes to the log, their progress to the report. */
class Run {
  readonly #plan: Plan;
  readonly #options: BuildOptions;
  readonly #log: (line: string) => void;
  constructor(plan: Plan, options: BuildOptions, log: (line: string) => void) {
    this.#plan = plan;
    this.#options = options;
    this.#log = log;
  }

  /** Downloads what is not in Go's module cache, and tells where the first module's sources lie. */
  async fetchModules(): Promise<string> {
    const [module] = this.#plan.component.modules;
    this.#say('fetching modules');
    const args = ['list', '-m', '-mod=readonly', '-f', '{{.Dir}}', module];
    await this.#run('go', ['mod', 'download', module], {});
    return (await this.#run('go', args, {})).trim();
  }

  async step(step: BuildStep): Promise<void> {
    const expected = step.command === 'go' ? await this.#countPackages(step) : 0;
    this.#say(`building ${step.file}`);
    let packages = 0;
    await this.#run(step.command, step.args, step.env, (line) => {
      if (!isPackage(line)) return;
      packages += 1;
      this.#options.report({ type: 'compiled', name: this.#plan.component.name, packages, expected: Math.max(expected, packages) });
    });
  }

  async #countPackages(step: BuildStep): Promise<number> {
    const tags = step.args.includes('-tags') ? step.args.slice(step.args.indexOf('-tags'), step.args.indexOf('-tags') + 2) : [];
    const list = await this.#run('go', ['list', '-deps', ...tags, step.args.at(-1) ?? '.'], step.env);
    return list.trim().split('\n').length;
  }

  #say(text: string): void {
    this.#options.report({ type: 'step', name: this.#plan.component.name, text });
  }

  async #run(
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    onLine?: (line: string) => void,
  ): Promise<string> {
    this.#log(`$ ${[command, ...args].join(' ')}`);
    const errors: string[] = [];
    const result = await runCommand({
      command,
      args,
      env: { GOFLAGS: '', GOWORK: 'off', ...env },
      cwd: this.#plan.source,
      signal: this.#options.signal,
      onErrorLine: (line) => {
        this.#log(line);
        onLine?.(line);
        if (!isPackage(line)) errors.push(line);
      },
    });
    if (result.status === 0) return result.output;
    const tail = errors.slice(-12).join('\n') || `${command} ended with ${result.status}`;
    throw fail('build-failed', { name: this.#plan.component.name, tail, log: this.#plan.log });
  }
}

/** A line of `go build -v` that only names a package, or of a download. */
function isPackage(line: string): boolean {
  return /^[\w.~/-]+$/.test(line) || line.startsWith('go: downloading ');
}

type Described = {
  readonly plan: Plan;
  readonly steps: readonly BuildStep[];
  readonly temporary: string;
  readonly seconds: number;
  readonly signal: AbortSignal;
};

async function describe({ plan, steps, temporary, seconds, signal }: Described): Promise<BuildRecord> {
  const outputs: Record<string, OutputRecord> = {};
  for (const output of plan.component.outputs) {
    const path = join(temporary, output.file);
    const text = isGo(output) ? (await runCommand({ command: 'go', args: ['version', '-m', path], cwd: plan.source, signal })).output : '';
    outputs[output.file] = { sha256: await sha256File(path), bytes: (await stat(path)).size, modules: linkedModules(text) };
  }
  return {
    format: 1,
    name: plan.component.name,
    version: plan.version,
    arch: plan.arch,
    key: plan.key,
    toolchain: plan.toolchain,
    builtAt: new Date().toISOString(),
    seconds,
    commands: steps.map((step) => commandLine(step).replaceAll(temporary, '<out>')),
    outputs,
  };
}

/** Another process may have built the same meanwhile: then its outputs stay. */
async function publish(temporary: string, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  try {
    await rename(temporary, folder);
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY' && systemCode(error) !== 'EEXIST') throw error;
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Folders of builds whose process is gone. */
async function removeAbandoned(part: string): Promise<void> {
  for (const name of await readdir(part)) {
    const pid = /\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(part, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Keeps the build before this one, so that going back to another commit costs nothing; drops the older ones. */
async function removeOld(part: string, keep: string): Promise<void> {
  const names = (await readdir(part)).filter((name) => /^[0-9a-f]{32}$/.test(name) && name !== keep);
  const aged = await Promise.all(names.map(async (name) => ({ name, time: (await stat(join(part, name))).mtimeMs })));
  for (const { name } of aged.sort((a, b) => b.time - a.time).slice(1)) await rm(join(part, name), { recursive: true, force: true });
}
