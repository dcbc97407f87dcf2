// The configuration of a server: its options and the rules over them. Each option is one entry in server-options/.
import * as z from 'zod/mini';
import { declareOptions, subset, type Values } from './declaration.ts';
import { optionGroup, toggle } from './option.ts';
import { serverOptions } from './server-options/index.ts';
import { serverRules } from './server-rules.ts';

export const serverConfig = declareOptions({ name: 'server', options: serverOptions, rules: serverRules });
export type ServerConfig = Values<typeof serverConfig>;

/** What a tool such as kubectl needs to find the node that runs here. */
export const toolConfig = subset(serverConfig, {
  name: 'kubectl',
  keys: ['config', 'data-dir', 'run-dir', 'write-kubeconfig', 'container-runtime-endpoint'],
});
export type ToolConfig = Values<typeof toolConfig>;

/** `rfo killall` only asks where the node's things are. */
export const killallConfig = subset(serverConfig, { name: 'killall', keys: ['config', 'data-dir', 'run-dir', 'debug'] });
export type KillallConfig = Values<typeof killallConfig>;

/** `rfo check` reads what the server would read. */
export const checkConfig = declareOptions({
  name: 'check',
  options: {
    ...optionGroup('Check', { 'fix': toggle({ help: 'Repair what can be repaired.', from: ['command-line'] }) }),
    ...serverOptions,
  },
  rules: serverRules,
});
export type CheckConfig = Values<typeof checkConfig>;

/**
 * The configuration of a server that is given nothing, or only this. For tests.
 * @param given values as a user would write them
 */
export function serverConfigOf(given: Partial<z.input<typeof serverConfig.schema>> = {}): ServerConfig {
  return z.parse(serverConfig.schema, given);
}
