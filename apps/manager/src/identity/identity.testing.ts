/** For tests: replicas of the identity part over one real API server, with a clock that can be put forward. */
import { type Clock, createLog, Life, silentLog } from '@rfo/foundation';
import { createKubeClient, startTestCluster, type TestCluster } from '@rfo/kube';
import { installCrds } from '../objects/install-crds.ts';
import { type Objects, openObjects } from '../objects/open-objects.ts';
import type { Caller } from './caller.ts';
import { createIdentity, type Identity } from './create-identity.ts';
import type { IdentityEvent } from './events.ts';
import type { Cost } from './hash-password.ts';

export type Replica = {
  readonly identity: Identity;
  readonly objects: Objects;
  readonly events: readonly IdentityEvent[];
  readonly lines: readonly string[];
  readonly end: () => Promise<void>;
};

export type Lab = {
  readonly cluster: TestCluster;
  readonly clock: Clock & { readonly forward: (seconds: number) => void; readonly reset: () => void };
  readonly open: (options?: { readonly cost?: Cost }) => Promise<Replica>;
  readonly stop: () => Promise<void>;
};

/** Far weaker than what is in force: the tests hash often. */
const cheap: Cost = { ln: 8, r: 8, p: 1 };

export async function startLab(): Promise<Lab> {
  const cluster = await startTestCluster();
  const life = new Life();
  try {
    await installCrds(cluster.client, { log: silentLog, signal: life.signal });
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rfo-system' } });
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  let offset = 0;
  const clock = {
    now: () => Date.now() + offset,
    forward: (seconds: number) => {
      offset += seconds * 1000;
    },
    reset: () => {
      offset = 0;
    },
  };
  return {
    cluster,
    clock,
    open: async ({ cost = cheap } = {}) => {
      const own = life.child();
      const lines: string[] = [];
      const log = createLog({ write: (line) => lines.push(line) });
      const client = createKubeClient(cluster.options);
      own.defer(() => client.close());
      const objects = await openObjects({ client, life: own, log });
      const events: IdentityEvent[] = [];
      const onEvent = (event: IdentityEvent): void => void events.push(event);
      const identity = createIdentity({ objects, client, clock, onEvent, passwordCost: cost, life: own, log });
      return { identity, objects, events, lines, end: () => own.end() };
    },
    stop: async () => {
      await life.end();
      await cluster.stop();
    },
  };
}

/** Resolves when the replica says that this caller has to go. */
export function revoked({ identity }: Replica, caller: Caller): Promise<void> {
  return new Promise((resolve) => {
    const undo = identity.onRevoked((isRevoked) => {
      if (!isRevoked(caller)) return;
      undo();
      resolve();
    });
  });
}

/** Resolves as soon as `holds` does, asked after every change of the kind. */
export function until(onChange: (listener: () => void) => () => void, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    if (holds()) return resolve();
    const undo = onChange(() => {
      if (!holds()) return;
      undo();
      resolve();
    });
  });
}

/** A name and password that no other test uses. */
let made = 0;
export function someone() {
  made += 1;
  return { username: `user-${made}`, password: 'correct horse battery', address: `10.0.${made}.1` };
}
