/** The manager of a scenario: its program beside a cluster, and the people who work with it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { repository, type Service } from '../../lab/index.ts';
import { bounded, kubeconfigFile, type Node } from '../node.ts';
import type { ScenarioContext } from '../scenario.ts';
import { type People, passwordOf, peopleOn } from './people.ts';

const port = 8443;
const program = [
  join(repository, 'node_modules/.bin/node'),
  '--disable-warning=ExperimentalWarning',
  join(repository, 'apps/manager/src/main.ts'),
];

export type Manager = People & {
  readonly service: () => Service;
  /** Starts it, or again after it has ended, and waits until it serves. */
  readonly start: () => Promise<void>;
  /** Starts it for the first time. Gives the password by which admin signs in once. */
  readonly startFirst: () => Promise<string>;
  /** Starts it for the first time and signs admin in, with the password that `passwordOf` tells. */
  readonly open: () => Promise<void>;
  /** `sha256:…` of its CA, once it has been started. */
  readonly pin: () => string;
};

/**
 * @param hub the server beside whose cluster it runs, and where all its people sit
 * @param options `flags`: of `rfo-manager`, besides the kubeconfig and the address. `env`: its variables
 */
export function managerOn(
  hub: Node,
  { life }: Pick<ScenarioContext, 'life'>,
  options: { readonly flags?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Manager {
  const { signal } = life;
  const { flags = [], env = {} } = options;
  const address = `https://${hub.host.ip}:${port}`;
  let running: Service | undefined;
  let pin: string | undefined;
  const knownPin = (): string => pin ?? assert.fail('the manager was not started');
  const service = (): Service => running ?? assert.fail('the manager was not started');
  const start = async (): Promise<void> => {
    const command = [...program, `--kubeconfig=${kubeconfigFile}`, `--server-url=${address}`, ...flags];
    running = await hub.host.spawn('manager', command, env);
    pin = await said(running, /^Its CA has the SHA-256 (\S+)$/, signal);
  };
  const startFirst = async (): Promise<string> => {
    await start();
    return await said(service(), /^Sign in as admin with the password (\S+) /, signal);
  };
  const people = peopleOn(hub, { address, pin: knownPin, signal });
  return {
    ...people,
    service,
    start,
    startFirst,
    open: async () => people.signIn('admin', await startFirst(), passwordOf('admin')),
    pin: knownPin,
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
