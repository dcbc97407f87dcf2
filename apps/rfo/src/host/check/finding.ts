import type { NodeConfig, ServerConfig } from '@rfo/schema';
import type { Paths } from '../../paths.ts';
import type { HostFacts } from '../facts.ts';

/** One thing that was looked at. `fail`: the node cannot run; `warn`: it runs, but something will not be as one expects. */
export type Finding = {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at, in two or three words. */
  readonly topic: string;
  readonly found: string;
  /** What to do about it. */
  readonly cure?: string;
  /** Does the cure; tells what it did. */
  readonly fix?: () => Promise<string>;
};

/** A TCP port that the node listens on, what for, and the option that sets it, where there is one. */
export type NeededPort = { readonly port: number; readonly use: string; readonly option?: string };

/** What the checks look at. */
export type CheckInputs = {
  /** The whole configuration of a server; of an agent what it has in common with one. */
  readonly config: NodeConfig & Partial<ServerConfig>;
  readonly ports: readonly NeededPort[];
  readonly paths: Paths;
  readonly host: HostFacts;
};
export type Check = (inputs: CheckInputs) => Promise<readonly Finding[]>;

export function ok(topic: string, found: string): Finding {
  return { level: 'ok', topic, found };
}

export function warn(topic: string, found: string, cure: string, fix?: () => Promise<string>): Finding {
  return { level: 'warn', topic, found, cure, ...(fix === undefined ? {} : { fix }) };
}

export function failed(topic: string, found: string, cure: string, fix?: () => Promise<string>): Finding {
  return { level: 'fail', topic, found, cure, ...(fix === undefined ? {} : { fix }) };
}
