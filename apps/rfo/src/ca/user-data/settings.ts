/** The settings of a join script: shell variables, in a file that it reads. */
import type { ProgramArchive, SeedPlace } from './types.ts';

export type Settings = Readonly<Record<string, string>>;

/** Lines `NAME='value'` for a POSIX shell; nothing in a value is expanded. */
export function renderSettings(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${shellQuote(value)}\n`)
    .join('');
}

/** What both kinds of hosts are told. */
export function commonSettings(join: {
  readonly nodeName: string | undefined;
  readonly programs: readonly ProgramArchive[];
  readonly seed: SeedPlace | undefined;
}): Settings {
  const { nodeName, programs, seed } = join;
  return {
    NODE_NAME: nodeName ?? '',
    REPORT_URL: seed === undefined ? '' : `${seed.url}/report`,
    SEED_ID: seed?.id ?? '',
    PROGRAMS: programs.map(({ architecture }) => architecture).join(' '),
    ...Object.fromEntries(
      programs.flatMap(({ architecture, url, sha256 }) => [
        [`PROGRAM_${architecture}`, url],
        [`PROGRAM_SUM_${architecture}`, sha256],
      ]),
    ),
  };
}

/** A word that a POSIX shell takes as it is. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
