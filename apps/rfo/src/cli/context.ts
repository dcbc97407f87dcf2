import type { Life, Log } from '@rfo/foundation';
import type { Environment } from '@rfo/schema';

/** What a command is given: everything it may touch of the process that runs it. */
export type CommandContext = {
  readonly log: Log;
  /** Ends when the command has returned. */
  readonly life: Life;
  /** What follows the name of the command. */
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly stdout: Output;
  readonly stderr: Output;
};

export type Output = { readonly write: (text: string) => unknown };

/** Runs a command and tells its exit code. */
export type Run = (context: CommandContext) => Promise<number>;
