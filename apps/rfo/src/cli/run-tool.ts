// Runs one of the bundled programs in the place of this one: same terminal, same signals, same end.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import { loadConfig, type ToolConfig, toolConfig } from '@rfo/schema';
import { type Paths, pathsOf } from '../paths.ts';
import { defaultConfigFile } from './config-file.ts';
import type { CommandContext } from './context.ts';

export type Node = { readonly config: ToolConfig; readonly paths: Paths };

/**
 * Runs `<data-dir>/bin/<name>` with the arguments as they are.
 * @param variables what the program learns of the node; what the user set himself wins
 * @returns its exit code, 128 and the signal's number where a signal ended it
 * @throws bundle-missing when this node was never started
 */
export async function runTool(
  name: string,
  context: CommandContext,
  variables: (node: Node) => Readonly<Record<string, string>>,
): Promise<number> {
  const node = await findNode(context);
  const path = join(node.paths.bin, name);
  const env = { ...variables(node), ...context.env };
  const child = spawn(path, context.argv, { stdio: 'inherit', env });
  return await passThrough(child, node.paths.bin);
}

/** Says so when the kubeconfig is not there yet: kubectl and helm would ask localhost:8080 instead, and tell only that. */
export function adminKubeconfig({ config }: Node, context: CommandContext): Readonly<Record<string, string>> {
  const file = config['write-kubeconfig'];
  if (context.env.KUBECONFIG === undefined && !existsSync(file)) {
    context.stderr.write(`rfo: there is no ${file} yet. Start the node first, or set KUBECONFIG.\n`);
  }
  return { KUBECONFIG: file };
}

/** Where the node is. Flags belong to the tool, so that only variables and files say it; mistakes in what the tool does not need do not matter. */
async function findNode({ env }: CommandContext): Promise<Node> {
  const { values } = await loadConfig(toolConfig, { argv: [], env, defaultFile: defaultConfigFile(env) });
  const config: ToolConfig = values;
  return { config, paths: pathsOf(config) };
}

async function passThrough(child: ChildProcess, bin: string): Promise<number> {
  const undo = forwardSignals(child);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(systemCode(error) === 'ENOENT' ? fail('bundle-missing', { dir: bin }, error) : error));
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  } finally {
    undo();
  }
}

/** A terminal sends Ctrl-C to the whole group, the tool included: it must not get it twice, and we must not die before it. */
function forwardSignals(child: ChildProcess): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
  const forward = (signal: NodeJS.Signals): void => {
    if (!(process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}
