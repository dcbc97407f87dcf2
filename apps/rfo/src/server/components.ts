import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkHttps, childEnvironment, type HttpsTarget, type ProcessSpec, waitForHttps } from '@rfo/process';
import type { ProcessComponent, ProcessContext, RenderedFile } from '../component/component.ts';
import { egressModeOf, renderEgressConfig } from '../egress/egress-config.ts';
import type { Membership } from '../etcd-cluster/membership.ts';
import type { Paths } from '../paths.ts';
import { endpointFiles } from './authorized-endpoint.ts';
import { etcdArguments } from './etcd.ts';
import { apiserverHost, type ServerInputs, serverPorts } from './inputs.ts';
import { kubeApiserverArguments } from './kube-apiserver.ts';
import { kubeControllerManagerArguments } from './kube-controller-manager.ts';
import { kubeSchedulerArguments } from './kube-scheduler.ts';
import { renderAdmissionConfig, renderAuditPolicy } from './policies.ts';
import { etcdPart, rolesOf } from './roles.ts';

type Part = {
  readonly name: string;
  readonly needs: readonly string[];
  readonly args: readonly string[] | (() => Promise<readonly string[]>);
  readonly files?: readonly RenderedFile[];
  /** Page that tells readiness, asked with a client certificate. */
  readonly page: string;
  /** Page that tells health, where another is cheaper. */
  readonly healthPage?: string;
  readonly identity: ClientIdentity;
  readonly stopGrace?: number;
  /** While this is so it need not answer. */
  readonly isBusy?: () => boolean;
};

/** Names of the files below `server/tls` that a probe of ours uses. */
type ClientIdentity = { readonly ca: string; readonly cert: string; readonly key: string };

const etcdClient: ClientIdentity = { ca: 'etcd/server-ca.crt', cert: 'etcd/client.crt', key: 'etcd/client.key' };
const supervisorClient: ClientIdentity = { ca: 'server-ca.crt', cert: 'client-supervisor.crt', key: 'client-supervisor.key' };

export type ControlPlaneHooks = {
  /** Gives up a leadership that this node's own dead process holds still, so that its successor need not wait for the lease to expire. */
  readonly releaseLease: (name: string, signal: AbortSignal) => Promise<void>;
  /** What this server is in etcd; asked before each start of it. */
  readonly membership: () => Promise<Membership>;
  /** Whether etcd is too busy with itself to answer: it is not unwell then. */
  readonly etcdIsBusy: () => boolean;
};

/**
 * The control plane as components. The API server is started beside etcd, which it waits for by itself; the two that would end
 * without the bootstrap roles only when the API answers.
 */
export function controlPlaneComponents(inputs: ServerInputs, hooks: ControlPlaneHooks): ProcessComponent[] {
  const { config, paths } = inputs;
  const roles = rolesOf(config);
  const parts: (Part | false)[] = [
    roles.apiserver && {
      name: 'kube-apiserver',
      needs: [etcdPart(roles)],
      args: kubeApiserverArguments(inputs),
      files: policyFiles(inputs),
      page: `https://${apiserverHost(config)}:${serverPorts.apiserver}/readyz`,
      healthPage: `https://${apiserverHost(config)}:${serverPorts.apiserver}/livez`,
      identity: supervisorClient,
      // Its own graceful end: requests in flight first, then the watches.
      stopGrace: 30_000,
    },
    roles.controllerManager && {
      name: 'kube-controller-manager',
      needs: ['kube-apiserver'],
      args: kubeControllerManagerArguments(inputs),
      page: `https://127.0.0.1:${serverPorts.controllerManager}/healthz`,
      identity: supervisorClient,
    },
    roles.scheduler && {
      name: 'kube-scheduler',
      needs: ['kube-apiserver'],
      args: kubeSchedulerArguments(inputs),
      page: `https://127.0.0.1:${serverPorts.scheduler}/healthz`,
      identity: supervisorClient,
    },
  ];
  const others = parts.filter((part) => part !== false).map((part) => component(paths, part, hooks.releaseLease));
  return roles.etcd ? [etcdComponent(inputs, hooks), ...others] : others;
}

/** etcd alone, as it runs also on a server that is about to do without it. */
export function etcdComponent(inputs: ServerInputs, hooks: Pick<ControlPlaneHooks, 'membership' | 'etcdIsBusy'>): ProcessComponent {
  const part: Part = {
    name: 'etcd',
    needs: [],
    args: async () => etcdArguments(inputs, await hooks.membership()),
    page: `https://127.0.0.1:${serverPorts.etcdHttp}/health`,
    isBusy: hooks.etcdIsBusy,
    identity: etcdClient,
    // It would wait for the watches of API servers to end, which they never do by themselves; what is acknowledged is on the disk.
    stopGrace: 3_000,
  };
  return component(inputs.paths, part);
}

function component(paths: Paths, part: Part, releaseLease?: ControlPlaneHooks['releaseLease']): ProcessComponent {
  const target = (url: string): Promise<HttpsTarget> => probeTarget(paths, { url, identity: part.identity });
  const elects = part.name === 'kube-controller-manager' || part.name === 'kube-scheduler';
  return {
    kind: 'process',
    name: part.name,
    needs: part.needs,
    render: async () => {
      const args = typeof part.args === 'function' ? await part.args() : part.args;
      return { files: part.files ?? [], process: processSpec(paths, { ...part, args }) };
    },
    ...(elects && releaseLease && { beforeStart: (signal: AbortSignal) => releaseLease(part.name, signal) }),
    ready: async ({ signal, note }: ProcessContext) => waitForHttps(await target(part.page), { signal, note }),
    health: async ({ signal }) => {
      if (part.isBusy?.() !== true) await checkHttps(await target(part.healthPage ?? part.page), signal);
    },
  };
}

function processSpec(paths: Paths, { name, args, stopGrace }: Pick<Part, 'name' | 'stopGrace'> & { args: readonly string[] }): ProcessSpec {
  return {
    name,
    path: join(paths.bin, name),
    args,
    env: childEnvironment(process.env),
    logFile: join(paths.logs, `${name}.log`),
    recordFile: join(paths.processRecords, `${name}.json`),
    ...(stopGrace && { stopGrace }),
  };
}

async function probeTarget(
  paths: Paths,
  { url, identity }: { readonly url: string; readonly identity: ClientIdentity },
): Promise<HttpsTarget> {
  const read = (file: string): Promise<string> => readFile(join(paths.server.tls, file), 'utf8');
  const [ca, cert, key] = await Promise.all([read(identity.ca), read(identity.cert), read(identity.key)]);
  return { url, ca, cert, key };
}

function policyFiles({ config, paths }: ServerInputs): RenderedFile[] {
  const file = (path: string, content: string): RenderedFile => ({ path, content, mode: 0o600 });
  return [
    ...(config['audit-policy-file'] === undefined ? [file(paths.server.auditPolicy, renderAuditPolicy())] : []),
    ...(egressModeOf(config) === 'disabled' ? [] : [file(paths.server.egressConfig, renderEgressConfig(paths))]),
    ...(config['pod-security-admission-config-file'] === undefined
      ? [file(paths.server.admissionConfig, renderAdmissionConfig(config.profile))]
      : []),
    ...endpointFiles(config, paths),
  ];
}
