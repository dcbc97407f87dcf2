import type { AnyDeclaration } from '@rfo/schema';
import type { Run } from './context.ts';

/** A command as help, completion and dispatch know it. */
export type Command = {
  /** One line of `rfo --help`. */
  readonly summary: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  /** The flags, and what completion offers. Absent: everything is handed to another program. */
  readonly options?: () => Promise<Pick<AnyDeclaration, 'infos'>>;
  /** Words that may follow. */
  readonly operands?: readonly string[];
  readonly load: () => Promise<Run>;
};

/** Commands with their names, in the order of help. */
export type CommandList = readonly (readonly [string, Command])[];
