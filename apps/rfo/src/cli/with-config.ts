// Gives a command its configuration before it runs.
import { createLog, fail, type Log } from '@rfo/foundation';
import {
  type AgentConfig,
  agentConfig,
  type CheckConfig,
  checkConfig,
  type Declaration,
  type KillallConfig,
  killallConfig,
  type Loaded,
  loadArguments,
  loadConfig,
  type ServerConfig,
  type Shape,
  serverConfig,
} from '@rfo/schema';
import { defaultConfigFile } from './config-file.ts';
import type { CommandContext, Run } from './context.ts';

/**
 * Reads what the command line, the environment and the files say, and logs what deserves a warning.
 * @param most how many arguments beside flags the command takes
 * @throws everything that is wrong with them
 */
export async function loadFor<S extends Shape>(declaration: Declaration<S>, context: CommandContext, most = 0): Promise<Loaded<S>> {
  const { argv, env } = context;
  const loaded = await loadConfig(declaration, { argv, env, defaultFile: defaultConfigFile(env) });
  const surplus = loaded.operands[most];
  if (surplus !== undefined) throw fail('argument-unexpected', { command: declaration.name, argument: surplus });
  return loaded;
}

/**
 * The same for a command without a configuration file; warnings go to the standard error.
 * @throws everything that is wrong with them
 */
export function loadFlags<S extends Shape>(
  declaration: Declaration<S>,
  { argv, env, stderr }: CommandContext,
  most = 0,
): ReturnType<typeof loadArguments<S>> {
  const loaded = loadArguments(declaration, { argv, env });
  const surplus = loaded.operands[most];
  if (surplus !== undefined) throw fail('argument-unexpected', { command: declaration.name, argument: surplus });
  for (const warning of loaded.warnings) stderr.write(`rfo: ${warning}\n`);
  return loaded;
}

/** A command that is given the configuration of a server and a log in its format. */
export function withServerConfig(run: (config: ServerConfig, context: CommandContext) => Promise<void>): Run {
  return async (context) => {
    const { values, ...loaded } = await loadFor(serverConfig, context);
    await run(values, { ...context, log: startLog(values, loaded, context) });
    return 0;
  };
}

/** The same with that of an agent. */
export function withAgentConfig(run: (config: AgentConfig, context: CommandContext) => Promise<void>): Run {
  return async (context) => {
    const { values, ...loaded } = await loadFor(agentConfig, context);
    await run(values, { ...context, log: startLog(values, loaded, context) });
    return 0;
  };
}

function startLog(
  config: Pick<AgentConfig, 'log-format' | 'debug'>,
  { warnings, files }: Pick<Loaded<Shape>, 'warnings' | 'files'>,
  { stderr }: CommandContext,
): Log {
  const log = createLog({
    write: (line) => stderr.write(line),
    format: config['log-format'],
    level: config.debug ? 'debug' : 'info',
  });
  for (const warning of warnings) log.warn(warning);
  log.info('configuration read', { files: files.join(', ') || 'none' });
  return log;
}

/** `rfo check`: it judges the host by what the server would be given. */
export function withCheckConfig(run: (config: CheckConfig, context: CommandContext) => Promise<number>): Run {
  return async (context) => await run((await loadFor(checkConfig, context)).values, context);
}

/** `rfo killall`: it must work with any configuration that tells where the node is. */
export function withKillallConfig(run: (config: KillallConfig, context: CommandContext) => Promise<number>): Run {
  return async (context) => await run((await loadFor(killallConfig, context)).values, context);
}
