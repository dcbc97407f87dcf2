import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import { type Architecture, type Component, isGo } from './component.ts';
import { compilerFor, hostArchitecture } from './render-build.ts';
import { type CommandResult, runCommand } from './run-command.ts';

export type Toolchain = {
  /** `go1.26.8` */
  readonly go: string;
  /** Version of the C compiler, for parts that need one. */
  readonly cc?: string;
};

type Where = { readonly folder: string; readonly arch: Architecture; readonly signal: AbortSignal };

/**
 * Finds the compilers that would build a component.
 * @throws tool-missing with the cure where one is missing or too old
 */
export async function findToolchain(component: Component, where: Where): Promise<Toolchain> {
  const go = await goVersion(where);
  const needed = /^go (\S+)$/m.exec(await readFile(join(where.folder, 'go.mod'), 'utf8'))?.[1] ?? '0';
  if (isOlder(go.replace(/^go/, ''), needed)) {
    throw fail('tool-missing', {
      what: `Go ${needed} for ${component.name} (${go} is here)`,
      cure: 'Install it from https://go.dev/dl, or set GOTOOLCHAIN=auto',
    });
  }
  return needsCompiler(component) ? { go, cc: await compilerVersion(where) } : { go };
}

/**
 * Proves that what a component links statically is there, by linking it.
 * @throws tool-missing with the names of the packages
 */
export async function checkLibraries(component: Component, where: Where): Promise<void> {
  if (!needsCompiler(component)) return;
  const libraries = component.outputs.flatMap((output) => (isGo(output) ? (output.cgo ?? []) : []));
  const compiler = compilerFor(where.arch, hostArchitecture());
  const headers = libraries.map((library) => `#include <${library}.h>\n`).join('');
  const { status } = await tool(where, {
    command: compiler,
    args: ['-static', '-x', 'c', '-o', '/dev/null', '-', ...libraries.map((library) => `-l${library}`)],
    input: `${headers}int main(void) { return 0; }\n`,
  });
  if (status === 0) return;
  const debian = ['libc6-dev', ...libraries.map((library) => `lib${library}-dev`)].join(' ');
  const redHat = ['glibc-static', ...libraries.map((library) => `lib${library}-devel lib${library}-static`)].join(' ');
  throw fail('tool-missing', {
    what: `what ${component.name} links statically (${['C library', ...libraries].join(', ')})`,
    cure: `Install it: apt-get install ${debian}, or dnf install ${redHat}`,
  });
}

function needsCompiler(component: Component): boolean {
  return component.outputs.some((output) => !isGo(output) || output.cgo !== undefined);
}

async function goVersion(where: Where): Promise<string> {
  const result = await tool(where, { command: 'go', args: ['env', 'GOVERSION'] });
  if (result.status !== 0)
    throw fail('tool-missing', { what: 'Go ≥ 1.26', cure: 'Install it from https://go.dev/dl and put its bin folder into PATH' });
  return result.output.trim();
}

async function compilerVersion(where: Where): Promise<string> {
  const compiler = compilerFor(where.arch, hostArchitecture());
  const result = await tool(where, { command: compiler, args: ['-dumpfullversion'] });
  const cure =
    compiler === 'gcc' ? 'apt-get install gcc, or dnf install gcc' : `apt-get install ${compiler.replace(/^(.*)-gcc$/, 'gcc-$1')}`;
  if (result.status !== 0) throw fail('tool-missing', { what: `the C compiler ${compiler}`, cure: `Install it: ${cure}` });
  return result.output.trim();
}

/** A tool that is not there at all ends with 127, as a shell would say. */
async function tool(where: Where, what: { command: string; args: readonly string[]; input?: string }): Promise<CommandResult> {
  try {
    return await runCommand({ ...what, cwd: where.folder, env: { GOFLAGS: '', GOWORK: 'off' }, signal: where.signal });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { status: 127, output: '' };
    throw error;
  }
}

/** Compares dotted versions by number: '1.26.0' is older than '1.26.8'. */
export function isOlder(version: string, than: string): boolean {
  const [own, other] = [version, than].map((text) => text.split('.').map(Number));
  for (const [at, part] of (other ?? []).entries()) {
    const difference = (own?.[at] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
