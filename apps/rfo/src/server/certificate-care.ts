import { type Clock, type Life, type Log, toRfoError } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import { ensureCertificates } from '../certificates/ensure.ts';
import type { Ensured, EnsuredCertificate } from '../certificates/ensured.ts';
import { leafLifetimeOf } from '../certificates/lifetime.ts';
import { type CertificateMonitor, startCertificateMonitor } from '../certificates/monitor.ts';
import type { CertificateInputs } from '../certificates/table.ts';
import type { Manager } from '../component/manager.ts';
import { fieldManager, nodeEvent } from './cluster-objects.ts';
import { apiserverHost, type ServerInputs } from './inputs.ts';
import { apiPart, rolesOf } from './roles.ts';

export type CertificateEnsurer = () => Promise<Ensured>;

/** How certificates of this server are looked after: with which names, and how long they live. */
export function certificateEnsurer(input: {
  readonly server: ServerInputs;
  readonly nodeIps: readonly string[];
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
}): CertificateEnsurer {
  const { server, nodeIps, clock, env } = input;
  const inputs = certificateInputs(server, nodeIps);
  const leafLifetime = leafLifetimeOf(env);
  const renewal = server.config['certificate-renewal-ratio'];
  return () => ensureCertificates({ paths: server.paths, inputs, clock, renewal, leafLifetime });
}

/** The names that this server goes by. */
export function certificateInputs(server: ServerInputs, nodeIps: readonly string[]): CertificateInputs {
  const { config } = server;
  return {
    nodeName: server.nodeName,
    nodeIps: [...nodeIps, ...config['node-external-ip']],
    serviceIps: [server.kubernetesServiceIp],
    clusterDomain: config['cluster-domain'],
    tlsSans: [apiserverHost(config), ...(config.vip === undefined ? [] : [config.vip]), ...config['tls-san']],
    advertiseAddress: server.advertiseAddress,
  };
}

/** The components that must not go on with what they have read: those whose certificate was replaced and that read it only once. */
export function mustRestart(certificates: readonly EnsuredCertificate[]): ReadonlySet<string> {
  const replaced = certificates.filter(({ action }) => action === 'renewed' || action === 'regenerated');
  return new Set(replaced.flatMap(({ usedBy }) => usedBy.filter(({ takes }) => takes === 'restart').map(({ component }) => component)));
}

/** Renews certificates while the node runs, restarts alone what cannot read new ones by itself, and tells of it in Events. */
export function careForCertificates(input: {
  readonly server: ServerInputs;
  readonly ensure: CertificateEnsurer;
  readonly first: Ensured;
  readonly manager: Manager;
  readonly client: KubeClient;
  readonly life: Life;
  readonly clock: Clock;
  readonly log: Log;
  /** Takes what rfo itself holds: the supervisor's port, the administrator's kubeconfig. */
  readonly renewOwn: () => Promise<void>;
}): CertificateMonitor {
  const { server, ensure, first, manager, client, life, clock, log, renewOwn } = input;
  return startCertificateMonitor({
    ...{ ensure, first, life, clock, log },
    renewal: server.config['certificate-renewal-ratio'],
    onRenewed: async (items) => {
      const own = items.some(({ usedBy }) => usedBy.some(({ takes }) => takes === 'callback'));
      if (own) await renewOwn();
      // One after the other: the API server must be back before those that need it go.
      for (const component of mustRestart(items)) if (manager.has(component)) await manager.restart(component);
    },
    onEvents: (events) => {
      for (const event of events) {
        const object = nodeEvent({ nodeName: server.nodeName, now: new Date(clock.now()), ...event });
        void manager
          .whenReady(apiPart(rolesOf(server.config)))
          .then(() => client.apply(object, { fieldManager, force: true, signal: life.signal }))
          .catch((error: unknown) => {
            if (!life.signal.aborted) log.warn('the event was not written', { reason: event.reason, error: toRfoError(error) });
          });
      }
    },
  });
}
