/** What a scenario is, and what it is given. */
import type { Life } from '@rfo/foundation';
import type { Lab } from '../lab/index.ts';
import type { Node, NodeOptions } from './node.ts';

export type Scenario = {
  readonly name: string;
  /** What it proves, in one line. */
  readonly about: string;
  /** Short ones are part of `npm test`. */
  readonly short: boolean;
  /** Milliseconds for all of it; then it has failed and everything is removed. */
  readonly timeout: number;
  readonly run: (context: ScenarioContext) => Promise<void>;
};

export type ScenarioContext = {
  /** A lab of its own, without hosts yet. */
  readonly lab: Lab;
  /** Ends with the scenario, its time or Ctrl-C. */
  readonly life: Life;
  /** Does one step and prints its name, outcome and time; what it throws ends the scenario. */
  readonly step: <T>(title: string, act: () => Promise<T>) => Promise<T>;
  /** Like `step`, for steps that do not build on each other: a failure is noted and the next one runs. */
  readonly check: (title: string, act: () => Promise<void>) => Promise<void>;
  /** Prints a line below the step, such as a figure that somebody may want to know. */
  readonly note: (text: string) => void;
  /** A new host with RFO on it, not started. Its logs are shown when the scenario fails. `full`: a host with systemd, booted. */
  readonly addNode: (name: string, options?: NodeOptions & { readonly full?: boolean }) => Promise<Node>;
};
