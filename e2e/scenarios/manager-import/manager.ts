/** The manager of a scenario: its program beside a cluster, and people who work with it by `rfo manager`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { bounded, dataDir, kubeconfigFile, type Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { commandFailed, type RunResult, repository, type Service } from '../../lab/index.ts';

const port = 8443;
const program = [
  join(repository, 'node_modules/.bin/node'),
  '--disable-warning=ExperimentalWarning',
  join(repository, 'apps/manager/src/main.ts'),
];

export type Manager = {
  readonly address: string;
  readonly service: () => Service;
  /** Starts it, or again after it has ended, and waits until it serves. */
  readonly start: () => Promise<void>;
  /** Of admin, for one sign-in only: what it tells until that has happened. */
  readonly password: () => Promise<string>;
  /** `rfo manager …` of a person, who has a home of his own; a code other than 0 throws. Gives stdout. */
  readonly as: (person: string, args: readonly string[], input?: string) => Promise<string>;
  readonly tryAs: (person: string, args: readonly string[], input?: string) => Promise<RunResult>;
  /** Signs a person in: by his password, or by one for one sign-in only and the one that he chooses. */
  readonly signIn: (person: string, ...passwords: readonly string[]) => Promise<void>;
  /** kubectl of a person in a cluster, through the manager. */
  readonly kubectl: (
    person: string,
    cluster: string,
    args: readonly string[],
    input?: string | Uint8Array,
    env?: Readonly<Record<string, string>>,
  ) => Promise<RunResult>;
  /** The same, going on beside the scenario. */
  readonly spawnKubectl: (
    name: string,
    by: { readonly person: string; readonly cluster: string },
    args: readonly string[],
  ) => Promise<Service>;
  /** A command where these people sit. */
  readonly onHub: (command: readonly string[]) => Promise<string>;
};

/** @param hub the server beside whose cluster it runs, and where all these people sit */
export function managerOn(hub: Node, { life }: ScenarioContext): Manager {
  const { signal } = life;
  const address = `https://${hub.host.ip}:${port}`;
  const home = (person: string): string => `/root/${person}`;
  let running: Service | undefined;
  const service = (): Service => running ?? assert.fail('the manager was not started');
  let pin = '';
  const tryAs: Manager['tryAs'] = (person, args, input = '') =>
    hub.rfo(['manager', ...args], { env: { HOME: home(person) }, input, timeout: 120_000 });
  const as: Manager['as'] = async (person, args, input) => {
    const result = await tryAs(person, args, input);
    if (result.code !== 0) throw commandFailed(['rfo manager', ...args], result);
    return result.stdout;
  };
  const configured = new Set<string>();
  const command = async (person: string, cluster: string, args: readonly string[]): Promise<string[]> => {
    const file = join(home(person), `${cluster}.yaml`);
    if (!configured.has(file)) await as(person, ['kubeconfig', '--cluster', cluster, '--out', file]);
    configured.add(file);
    return [`${dataDir}/bin/kubectl`, `--kubeconfig=${file}`, `--context=${cluster}`, ...args];
  };
  return {
    address,
    service,
    start: async () => {
      running = await hub.host.spawn('manager', [...program, `--kubeconfig=${kubeconfigFile}`, `--server-url=${address}`]);
      pin = await said(running, /^Its CA has the SHA-256 (\S+)$/, signal);
    },
    password: () => said(service(), /^Sign in as admin with the password (\S+) /, signal),
    as,
    tryAs,
    signIn: async (person, ...passwords) => {
      await hub.host.must(['mkdir', '-p', home(person)]);
      const login = ['login', address, '-u', person, '--password-file', '-', '--ca-pin', pin];
      await as(person, login, passwords.map((password) => `${password}\n`).join(''));
    },
    kubectl: async (person, cluster, args, input = '', env = {}) =>
      hub.host.exec(await command(person, cluster, args), { input, env, signal, timeout: 120_000 }),
    onHub: (words) => hub.host.must([...words]),
    spawnKubectl: async (name, { person, cluster }, args) => hub.host.spawn(name, await command(person, cluster, args)),
  };
}

/** What the first line that matches says in its group. */
async function said(service: Service, pattern: RegExp, signal: AbortSignal): Promise<string> {
  const search = async (): Promise<string> => {
    for await (const line of service.lines(signal)) {
      const word = pattern.exec(line)?.[1];
      if (word !== undefined) return word;
    }
    throw new Error(`the manager ended with exit code ${await service.exited}, and no line was ${pattern}`);
  };
  return await bounded(search(), { signal, what: `a line ${pattern} of the manager`, within: 120_000 });
}
