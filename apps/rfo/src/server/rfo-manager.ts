import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { binaryIdentity, checkHttps, childEnvironment, type HttpsTarget, waitForHttps } from '@rfo/process';
import { cloneRoot } from '../cli/config-file.ts';
import type { ProcessComponent } from '../component/component.ts';
import { renderArguments } from './arguments.ts';
import { type ServerInputs, serverPorts } from './inputs.ts';
import { controlPlaneKubeconfig } from './kubeconfigs.ts';
import { apiPart, rolesOf } from './roles.ts';

/** Of the component, and of the program. */
export const managerName = 'rfo-manager';

/** A manager beside one node makes few objects that last: measured after its start, 33 MB of anonymous memory instead of 38 to 44. */
const nodeFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1'] as const;

/** It answers for up to ten seconds what had begun. */
const stopGrace = 15_000;

/**
 * The manager of many clusters as a component of this server, where it is wanted. It starts when the node is Ready, whose way there it would
 * make longer on a small host, and ends before the API server.
 */
export function managerComponents(inputs: ServerInputs): ProcessComponent[] {
  const { config, paths } = inputs;
  if (!config.manager) return [];
  const roles = rolesOf(config);
  const probe = probeTarget(inputs);
  const component: ProcessComponent = {
    kind: 'process',
    name: managerName,
    // Its own certificate may be wrong or its port taken, which is no reason to keep from anybody that Kubernetes runs.
    apart: true,
    needs: [apiPart(roles), ...(roles.agent ? ['node'] : [])],
    render: async () => {
      const program = managerProgram(import.meta.dirname);
      const settings = JSON.stringify(managerSettings(inputs), undefined, 2);
      return {
        files: [{ path: paths.server.managerConfig, content: `${settings}\n`, mode: 0o600 }],
        process: {
          ...{ name: managerName, stopGrace, path: process.execPath, args: [...nodeFlags, program, ...managerArguments(inputs)] },
          env: childEnvironment(process.env),
          logFile: join(paths.logs, `${managerName}.log`),
          recordFile: join(paths.processRecords, `${managerName}.json`),
          // The binary is Node's: an upgrade changes the program that it runs.
          inputsHash: await binaryIdentity({ name: managerName, path: program }),
        },
      };
    },
    ready: ({ signal, note }) => waitForHttps(probe, { signal, note }),
    health: ({ signal }) => checkHttps(probe, signal),
  };
  return [component];
}

/** What the manager's configuration file says; with it, the one of a manager that runs by itself is not read. */
export function managerSettings({ config, paths, nodeName, nodeIp, advertiseAddress }: ServerInputs) {
  const { vip } = config;
  const port = config['manager-https-port'];
  const address = vip ?? advertiseAddress;
  return {
    'kubeconfig': controlPlaneKubeconfig(paths, 'manager'),
    'bind-address': config['bind-address'],
    'https-port': port,
    'server-url': config['manager-server-url'] ?? `https://${address}:${port}`,
    'tls-san': [...new Set([nodeIp, advertiseAddress, address, ...config['tls-san']])],
    // Each server of the cluster may run one.
    'replica-name': nodeName,
    'replica-address': nodeIp,
    'replica-port': serverPorts.managerReplicas,
    // What it prints goes into a log.
    'hide-password': true,
    'log-format': config['log-format'],
    'debug': config.debug,
  };
}

/** The arguments of rfo-manager. */
export function managerArguments({ config, paths }: ServerInputs): string[] {
  return renderArguments({ config: paths.server.managerConfig }, config['manager-arg']);
}

/** The value that the administrator gives an option of the manager as an argument. */
export function givenArgument(config: Pick<ServerInputs['config'], 'manager-arg'>, option: string): string | undefined {
  const found = config['manager-arg'].findLast((argument) => argument.replace(/^--?/, '').startsWith(`${option}=`));
  return found?.slice(found.indexOf('=') + 1);
}

/** Beside the program of a node; in a clone, whose programs are not bundled, its source. */
function managerProgram(folder: string): string {
  const bundled = join(folder, `${managerName}.mjs`);
  const root = existsSync(bundled) ? undefined : cloneRoot(folder);
  return root === undefined ? bundled : join(root, 'apps/manager/src/main.ts');
}

/** It may have a certificate that this host does not know; the question is whether it answers, and nothing is told to it. */
function probeTarget({ config }: ServerInputs): HttpsTarget {
  const bind = config['bind-address'];
  return { url: `https://${bind === '0.0.0.0' ? '127.0.0.1' : bind}:${config['manager-https-port']}/readyz`, ca: 'unverified' };
}
