// What the REST interface stands on.
import type { Log } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import type { ManagerKind } from '@rfo/schema';
import type { Audit } from '../audit/types.ts';
import type { Connections } from '../clusters/connections.ts';
import type { Identity } from '../identity/create-identity.ts';
import type { Objects } from '../objects/open-objects.ts';
import type { ObjectStore } from '../objects/store.ts';
import type { Rights } from '../rights/create-rights.ts';
import type { Watches } from '../watches/create-watches.ts';

export type ApiParts = {
  /** Of the cluster that the manager runs in. */
  readonly client: KubeClient;
  readonly objects: Objects;
  readonly identity: Identity;
  readonly rights: Rights;
  readonly connections: Pick<Connections, 'register'>;
  readonly watches: Pick<Watches, 'list' | 'resources'>;
  readonly audit: Pick<Audit, 'record' | 'hasRoom' | 'state' | 'search' | 'verify'>;
  /** PEM of the CA of the certificate that the manager serves with; undefined where hosts trust it already. */
  readonly authority: () => string | undefined;
  readonly log: Log;
};

/** A store of any kind: its indexes do not matter here. */
export type Store<K extends ManagerKind> = Omit<ObjectStore<K>, 'by'>;
