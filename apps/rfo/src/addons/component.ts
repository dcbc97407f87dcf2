import { join } from 'node:path';
import type { KubeClient } from '@rfo/kube';
import type { TaskComponent } from '../component/component.ts';
import type { ServerInputs } from '../server/inputs.ts';
import { type ManifestVariables, stageManifests } from './stage-manifests.ts';
import { startAddons } from './start-addons.ts';

/** The manifest directory as a component: ready when every file, the bundle's own among them, has been tried once. */
export function addonsComponent(input: {
  readonly client: KubeClient;
  readonly inputs: ServerInputs;
  readonly bundle: string;
}): TaskComponent {
  const { client, inputs, bundle } = input;
  const { config, paths, nodeName } = inputs;
  const directory = paths.server.manifests;
  const disable = disabledManifests(config);
  const stage = async (): Promise<void> => {
    await stageManifests({ from: join(bundle, 'manifests'), to: directory, disable, variables: manifestVariables(inputs) });
  };
  // While the API server starts there is time for what else would stand between it and the first Deployment.
  let staged: Promise<unknown> | undefined = Promise.all([stage(), import('yaml')]);
  staged.catch(() => undefined);
  return {
    kind: 'task',
    name: 'addons',
    needs: ['kube-apiserver'],
    run: async ({ life, log }) => {
      await (staged ?? stage());
      staged = undefined;
      await startAddons({ client, directory, disable, node: nodeName, life, log });
    },
  };
}

/** Short names of the manifests that are left out: `--disable coredns` means the file `rfo-coredns.yaml`. */
export function disabledManifests(config: Pick<ServerInputs['config'], 'disable'>): string[] {
  return config.disable.map((name) => `rfo-${name}`);
}

export function manifestVariables({ config, clusterDns }: ServerInputs): ManifestVariables {
  const registry = config['system-default-registry'];
  return {
    CLUSTER_DNS: clusterDns,
    CLUSTER_DOMAIN: config['cluster-domain'],
    CLUSTER_CIDR: config['cluster-cidr'],
    SYSTEM_DEFAULT_REGISTRY: registry ? `${registry}/` : '',
  };
}
