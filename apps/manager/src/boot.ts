// Starts the manager: every part in the order in which it needs the others. What comes first ends last.
import { hostname } from 'node:os';
import { type Clock, fail, type Life, type Log, systemClock } from '@rfo/foundation';
import { createKubeClient, electLeader, type KubeClient, type KubeClientOptions } from '@rfo/kube';
import type { ManagerConfig } from '@rfo/schema';
import { createApi } from './api/create-api.ts';
import { createAudit } from './audit/create-audit.ts';
import { recordOfIdentity } from './audit/identity-record.ts';
import { auditMetrics } from './audit/metrics.ts';
import { settingNames } from './clusters/agent-settings.ts';
import type { Connections } from './clusters/connections.ts';
import { createConnections } from './clusters/create-connections.ts';
import { keepEndpoints } from './endpoint/keep-endpoints.ts';
import { createFrontDoor, type FrontDoor } from './front-door/front-door.ts';
import { awaitApi } from './hosting-cluster.ts';
import { createIdentity, type Identity } from './identity/create-identity.ts';
import { type Listener, startListener } from './listen.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { installCrds } from './objects/install-crds.ts';
import { type Objects, openObjects } from './objects/open-objects.ts';
import { createRights, type Rights } from './rights/create-rights.ts';
import { administratorsOf } from './rights/keep-administrator.ts';
import { materialise } from './rights/materialise.ts';
import { type Page, routeRequests } from './route-requests.ts';
import { ensureNamespace, ensureServerUrl } from './seed.ts';
import type { ServingCertificate } from './serving/certificate.ts';
import { certificateFiles } from './serving/files.ts';
import { servingNames } from './serving/names.ts';
import { ownCertificate } from './serving/own.ts';
import { createSignInPages } from './sign-in/create-sign-in-pages.ts';
import { managerVersion } from './version.ts';
import { createWatches } from './watches/create-watches.ts';

export type RunningManager = {
  readonly port: number;
  /** What people type, as far as it is known. */
  readonly address: string;
  /** PEM of the CA that its certificate is known by; undefined for one that hosts trust by themselves. */
  readonly authority: string | undefined;
  /** Of the administrator, while it still is the one that was made for him. */
  readonly password: string | undefined;
  /** Tells that it is not ready any more, serves on for as long as is configured, and answers what has begun. Then the life may end. */
  readonly leave: () => Promise<void>;
};

/** Milliseconds that answers have which have begun when it ends. */
const drainWithin = 10_000;

/**
 * Resolves when it serves; it ends with the life.
 * @param options.access to the API of the cluster that it runs in
 * @throws port-taken, manager-certificate-unusable, authority-unusable, crd-not-established, and what the API refuses
 */
export async function bootManager(options: {
  readonly config: ManagerConfig;
  readonly access: KubeClientOptions;
  readonly clock?: Clock;
  readonly life: Life;
  readonly log: Log;
}): Promise<RunningManager> {
  const { config, access, clock = systemClock, life, log } = options;
  const { namespace } = config;
  const replica = config['replica-name'] ?? hostname().toLowerCase();
  const { signal } = life;
  const client = createKubeClient(access);
  life.defer(() => client.close());

  await awaitApi(client, { log, signal });
  await Promise.all([ensureNamespace(client, namespace, { signal }), installCrds(client, { log, signal })]);
  const objects = await openObjects({ client, life, log: log.part('objects') });
  await ensureServerUrl(objects, config['server-url'], { signal });
  const certificate = await openCertificate({ config, client, objects, clock, life, log: log.part('certificate') });

  const audit = createAudit({ client, objects, replica, clock, life, log: log.part('audit') });
  const identity = createIdentity({
    objects,
    client,
    namespace,
    clock,
    onEvent: (event) => audit.record(recordOfIdentity(event)),
    life,
    log,
  });
  const rights = createRights({ objects, life, log: log.part('rights') });
  const connections = await createConnections({
    ...{ objects, client, local: access, namespace, image: config['agent-image'], version: managerVersion, authority: certificate.ca },
    replica:
      config['replica-address'] === undefined
        ? undefined
        : { name: replica, host: config['replica-address'], port: config['replica-port'] },
    ...{ clock, life, log: log.part('clusters') },
  });
  const frontDoor = createFrontDoor({ connections, identity, rights, audit, life, log: log.part('front-door') });
  const watches = createWatches({ connections, objects, identity, rights, life, log: log.part('watches') });
  const api = await createApi({ client, objects, identity, rights, connections, audit, watches, authority: certificate.ca, life, log });
  const { password } = await identity.ensureAdministrator();

  const state: State = { now: 'starting', leads: false };
  const metrics = createMetrics();
  metrics.add(() => [...ownMetrics(objects, state, frontDoor.open()), ...auditMetrics(audit.state()), ...watches.metrics()]);
  const pages = createPages({ state, identity, rights, metrics });
  const entrances = routeRequests(
    { frontDoor, api, watches, signIn: createSignInPages({ identity, objects, life, log }), connections, pages },
    log,
  );
  const listener = await startListener({
    ...{ address: config['bind-address'], port: config['https-port'], certificate, life },
    entrances: {
      ...entrances,
      request: (request, response) => {
        metrics.count(request, response);
        entrances.request(request, response);
      },
    },
  });

  const leading = life.child();
  const election = electLeader({
    ...{ client, lease: { namespace, name: 'rfo-manager' }, identity: replica, life: leading, log: log.part('leader') },
    lead: async (term) => {
      state.leads = true;
      term.defer(() => {
        state.leads = false;
      });
      materialise({ clientOf: connections.clientOf, onConnection: connections.onChange, objects, life: term, log: log.part('rights') });
      keepEndpoints({ connections, objects, rights, clock, life: term, log: log.part('endpoint') });
      await Promise.all([connections.lead(term), identity.lead(term), audit.retain(term), ended(term.signal)]);
    },
  });
  leading.defer(() => election);
  state.now = 'ready';
  const host = config['bind-address'] === '0.0.0.0' ? 'localhost' : config['bind-address'];
  const address = objects.settings.get(settingNames.url)?.spec.value ?? `https://${host}:${listener.port}`;
  const authority = certificate.ca();
  return {
    port: listener.port,
    address,
    authority,
    password,
    leave: () => leave({ state, leading, connections, frontDoor, listener, delay: config['shutdown-delay'], log }),
  };
}

/** What the pages tell of. */
type State = { now: 'starting' | 'ready' | 'ending'; leads: boolean };

async function leave(input: {
  readonly state: State;
  readonly leading: Life;
  readonly connections: Pick<Connections, 'retire'>;
  readonly frontDoor: Pick<FrontDoor, 'endWatches'>;
  readonly listener: Listener;
  readonly delay: number;
  readonly log: Log;
}): Promise<void> {
  const { state, leading, connections, frontDoor, listener, delay, log } = input;
  state.now = 'ending';
  // Whoever comes again meets another replica, as soon as the load balancer knows.
  connections.retire();
  listener.retire();
  // Another replica leads at once.
  await leading.end(new Error('the manager ends'));
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  const drained = listener.drain(drainWithin);
  // Not before: they would be opened here again.
  frontDoor.endWatches();
  await drained;
  log.info('all that had begun is answered');
}

async function openCertificate(input: {
  readonly config: ManagerConfig;
  readonly client: KubeClient;
  readonly objects: Objects;
  readonly clock: Clock;
  readonly life: Life;
  readonly log: Log;
}): Promise<ServingCertificate> {
  const { config, objects, life, log } = input;
  const { 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-file': ca, namespace } = config;
  if (cert !== undefined && key !== undefined) return await certificateFiles({ files: { cert, key, ca }, life, log });
  const names = (): readonly string[] =>
    servingNames({ namespace, configured: config['tls-san'], serverUrl: objects.settings.get(settingNames.url)?.spec.value });
  const certificate = await ownCertificate({ ...input, namespace, names });
  life.defer(objects.settings.onChange((name) => name === settingNames.url && certificate.look()));
  return certificate;
}

function createPages(parts: { readonly state: State; readonly identity: Identity; readonly rights: Rights; readonly metrics: Metrics }) {
  const { state, identity, rights, metrics } = parts;
  return {
    // It answers: that is all it tells.
    '/healthz': (): Page => ({ body: 'ok\n' }),
    '/readyz': (): Page => {
      if (state.now !== 'ready') throw fail('manager-not-ready', { state: state.now });
      return { body: 'ok\n' };
    },
    '/metrics': async ({ headers }: { readonly headers: Parameters<Identity['authenticate']>[0] }): Promise<Page> => {
      const caller = await identity.authenticate(headers, { method: 'GET' });
      // They tell no more than the audit does.
      if (!rights.may(caller, { verb: 'list', kind: 'AuditSegment' }))
        throw fail('api-forbidden', { username: caller.username, verb: 'get', what: '/metrics' });
      return { type: 'text/plain; version=0.0.4; charset=utf-8', body: metrics.render() };
    },
  };
}

function ownMetrics(objects: Objects, { now, leads }: State, open: number) {
  const gauge = (name: string, help: string, value: number) => ({ name, help, type: 'gauge', samples: [{ value }] }) as const;
  const administrators = administratorsOf({ users: objects.users.list(), bindings: objects.globalRoleBindings.list() }).length;
  const kinds = Object.entries(objects).flatMap(([kind, store]) =>
    'list' in store ? [{ labels: { kind }, value: store.list().length }] : [],
  );
  return [
    gauge('rfo_manager_ready', 'Whether it serves.', now === 'ready' ? 1 : 0),
    gauge('rfo_manager_leader', 'Whether it is the replica that does what one alone does.', leads ? 1 : 0),
    gauge('rfo_manager_administrators', 'Enabled users who can do everything: with none nobody can give rights any more.', administrators),
    gauge('rfo_manager_proxied_requests', 'Requests to clusters that go on, watches and shells included.', open),
    { name: 'rfo_manager_objects', help: 'Objects by kind.', type: 'gauge', samples: kinds } as const,
  ];
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })));
}
