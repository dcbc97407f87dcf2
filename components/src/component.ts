import type { Versions } from '../versions.ts';

/**
 * One upstream part: what is built from which packages of its pinned go.mod, as data. Each folder beside `src` holds one, with its
 * go.mod and go.sum; `table.ts` lists them.
 */
export type Component = {
  readonly name: string;
  /** Its row in versions.ts. */
  readonly pin: keyof Versions;
  /** Upstream's modules at that version; the first one's LICENSE stands for the part. */
  readonly modules: readonly [string, ...string[]];
  /** Folder of another component whose go.mod this one builds from. */
  readonly sharesModuleOf?: string;
  /** Where the outputs go: the node's `bin`, into an image only, or nowhere because only a benchmark wants them. */
  readonly goesTo: 'bin' | 'image' | 'nowhere';
  readonly outputs: readonly [Output, ...Output[]];
};

export type Output = GoOutput | CProgram;

export type GoOutput = {
  readonly file: string;
  /** Import path of its main package; `.` is the one in the component's own folder. */
  readonly package: string;
  readonly tags?: readonly string[];
  /** Go variables that are set by the linker; `{version}`, `{bare}` (without v), `{major}` and `{minor}` are filled in. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The C libraries it links statically; cgo is off without this. */
  readonly cgo?: readonly string[];
  /** Further names that the binary answers to: links beside it. */
  readonly links?: readonly string[];
};

export type CProgram = {
  readonly file: string;
  /** C source, as a path inside the first module. */
  readonly source: string;
  readonly flags: readonly string[];
};

/** Architectures that everything upstream supports, by Go's names. */
export const architectures = ['amd64', 'arm64', 'riscv64'] as const;
export type Architecture = (typeof architectures)[number];

export const isGo = (output: Output): output is GoOutput => 'package' in output;
