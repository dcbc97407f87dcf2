/** People who work with a manager by `rfo manager` and kubectl, each with a home of his own on one host. */
import { join } from 'node:path';
import { commandFailed, type RunResult, type Service } from '../../lab/index.ts';
import { dataDir, type Node } from '../node.ts';

export type People = {
  readonly address: string;
  /** `rfo manager …` of a person; a code other than 0 throws. Gives stdout. */
  readonly as: (person: string, args: readonly string[], input?: string) => Promise<string>;
  readonly tryAs: (person: string, args: readonly string[], input?: string) => Promise<RunResult>;
  /** Signs a person in: by his password, or by one for one sign-in only and the one that he chooses. */
  readonly signIn: (person: string, ...passwords: readonly string[]) => Promise<void>;
  /** Makes a user who has signed in, with the password that `passwordOf` tells. */
  readonly join: (person: string) => Promise<void>;
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
  /** A command where these people sit; a code other than 0 throws. Gives stdout. */
  readonly onHub: (command: readonly string[]) => Promise<string>;
};

/** Where `rfo manager` of a person keeps what it keeps. */
export const homeOf = (person: string): string => `/root/${person}`;
/** The password that a person has who came by `join`. */
export const passwordOf = (person: string): string => `the password of ${person}`;

/**
 * @param hub the node on whose host all these people sit
 * @param manager `address`: what they type, such as `https://10.0.0.1:8443`. `pin`: `sha256:…` of the CA of the manager, once it is known
 */
export function peopleOn(
  hub: Node,
  manager: { readonly address: string; readonly pin: () => string; readonly signal: AbortSignal },
): People {
  const { address, pin, signal } = manager;
  const tryAs: People['tryAs'] = (person, args, input = '') =>
    hub.rfo(['manager', ...args], { env: { HOME: homeOf(person) }, input, timeout: 120_000 });
  const as: People['as'] = async (person, args, input) => {
    const result = await tryAs(person, args, input);
    if (result.code !== 0) throw commandFailed(['rfo manager', ...args], result);
    return result.stdout;
  };
  const signIn: People['signIn'] = async (person, ...passwords) => {
    await hub.host.must(['mkdir', '-p', homeOf(person)]);
    const login = ['login', address, '-u', person, '--password-file', '-', '--ca-pin', pin()];
    await as(person, login, passwords.map((password) => `${password}\n`).join(''));
  };
  const configured = new Set<string>();
  const command = async (person: string, cluster: string, args: readonly string[]): Promise<string[]> => {
    const file = join(homeOf(person), `${cluster}.yaml`);
    if (!configured.has(file)) await as(person, ['kubeconfig', '--cluster', cluster, '--out', file]);
    configured.add(file);
    return [`${dataDir}/bin/kubectl`, `--kubeconfig=${file}`, `--context=${cluster}`, ...args];
  };
  return {
    address,
    as,
    tryAs,
    signIn,
    join: async (person) => {
      const once = (await as('admin', ['users', 'create', person])).trim();
      await signIn(person, once, passwordOf(person));
    },
    kubectl: async (person, cluster, args, input = '', env = {}) =>
      hub.host.exec(await command(person, cluster, args), { input, env, signal, timeout: 120_000 }),
    spawnKubectl: async (name, { person, cluster }, args) => hub.host.spawn(name, await command(person, cluster, args)),
    onHub: (words) => hub.host.must([...words]),
  };
}
