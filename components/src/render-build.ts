import { versions } from '../versions.ts';
import { type Architecture, type Component, type GoOutput, isGo, type Output } from './component.ts';

/** One command of a build, and the file that it leaves in `out`. */
export type BuildStep = {
  readonly file: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type BuildInput = {
  readonly component: Component;
  readonly arch: Architecture;
  readonly minor: keyof typeof versions;
  /** Folder for the outputs. */
  readonly out: string;
  /** Where the first module's sources lie; only C programs need it. */
  readonly sources: string;
  /** How many packages Go compiles at once. */
  readonly parallel: number;
};

/** Renders the commands that build a component, to be run in the folder of its go.mod. They name nothing of the host, so that outputs are reproducible. */
export function renderBuild(input: BuildInput): BuildStep[] {
  const version = versions[input.minor][input.component.pin];
  return input.component.outputs.map((output) => renderStep(input, output, version));
}

/** The C compiler for an architecture: the host's own, or Debian's and openEuler's cross compiler by its usual name. */
export function compilerFor(arch: Architecture, host: Architecture): string {
  if (arch === host) return 'gcc';
  return { amd64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc', riscv64: 'riscv64-linux-gnu-gcc' }[arch];
}

/** The architecture of this process by Go's name. Throws where Go calls it something that is not supported. */
export function hostArchitecture(): Architecture {
  const names: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64', riscv64: 'riscv64' };
  const name = names[process.arch];
  if (name === undefined) throw new Error(`no build for the architecture ${process.arch}`);
  return name;
}

function renderStep(input: BuildInput, output: Output, version: string): BuildStep {
  const path = `${input.out}/${output.file}`;
  const compiler = compilerFor(input.arch, hostArchitecture());
  if (isGo(output)) {
    return {
      file: output.file,
      command: 'go',
      args: goArguments({ output, version, path, parallel: input.parallel }),
      env: goEnvironment(input.arch, output, compiler),
    };
  }
  const flags = output.flags.map((flag) => fillVersion(flag, version));
  return { file: output.file, command: compiler, args: [...flags, '-o', path, `${input.sources}/${output.source}`], env: {} };
}

type GoArguments = { readonly output: GoOutput; readonly version: string; readonly path: string; readonly parallel: number };

function goArguments({ output, version, path, parallel }: GoArguments): string[] {
  const variables = Object.entries(output.variables ?? {}).map(([name, value]) => `-X ${name}=${fillVersion(value, version)}`);
  const ldflags = ['-s', '-w', ...(output.cgo ? ['-extldflags', '-static'] : []), ...variables].join(' ');
  const tags = output.tags ? ['-tags', output.tags.join(',')] : [];
  // -v names each package when it is compiled: that is what the progress display counts.
  return [
    'build',
    '-v',
    '-p',
    String(parallel),
    '-trimpath',
    '-buildvcs=false',
    '-mod=readonly',
    ...tags,
    '-ldflags',
    ldflags,
    '-o',
    path,
    output.package,
  ];
}

function goEnvironment(arch: Architecture, output: GoOutput, compiler: string): Record<string, string> {
  return {
    GOOS: 'linux',
    GOARCH: arch,
    GOAMD64: 'v1',
    GOFLAGS: '',
    GOEXPERIMENT: '',
    GOWORK: 'off',
    CGO_ENABLED: output.cgo ? '1' : '0',
    ...(output.cgo ? { CC: compiler, CGO_CFLAGS: '-O2', CGO_LDFLAGS: '' } : {}),
  };
}

function fillVersion(template: string, version: string): string {
  const bare = version.replace(/^v/, '');
  const [major = '', minor = ''] = bare.split('.');
  return template.replaceAll('{version}', version).replaceAll('{bare}', bare).replaceAll('{major}', major).replaceAll('{minor}', minor);
}
