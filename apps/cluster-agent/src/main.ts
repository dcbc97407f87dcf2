// The program `rfo-cluster-agent`: connects its cluster to the manager until a signal ends it.
import { createLog, Life, toRfoError } from '@rfo/foundation';
import { loadClusterAgentConfig, loadConfig, renderOptions } from '@rfo/schema';
import { bootAgent } from './boot.ts';
import { agentVersion } from './version.ts';

const { argv, env, stdout, stderr } = process;
try {
  process.exitCode = await main(argv.slice(2));
} catch (error) {
  const { message, exit } = toRfoError(error);
  stderr.write(`rfo-cluster-agent: ${message}\n`);
  process.exitCode = exit;
}

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--version') || args.includes('-v')) {
    stdout.write(`rfo-cluster-agent ${agentVersion}\n`);
    return 0;
  }
  const declaration = await loadClusterAgentConfig();
  if (args.includes('--help') || args.includes('-h')) {
    stdout.write(
      `Usage: rfo-cluster-agent [flags]\n\nConnects the cluster that it runs in to a manager.\n\n${renderOptions(declaration)}\n`,
    );
    return 0;
  }
  const { values: config, warnings } = await loadConfig(declaration, {
    argv: args,
    env,
    defaultFile: '/etc/rancher/rfo/cluster-agent.yaml',
  });
  const log = createLog({
    write: (line) => stderr.write(line),
    format: config['log-format'],
    level: config.debug ? 'debug' : 'info',
    part: 'cluster-agent',
  });
  for (const warning of warnings) log.warn(warning);
  await using life = new Life();
  const ending = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const { healthPort } = await bootAgent({ config, environment: env, life, log });
  log.info('the agent runs', { via: config.via, healthPort });
  log.info('ending', { signal: await ending });
  return 0;
}
