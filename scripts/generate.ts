// `npm run generate`: writes the files that are made from declarations. With `--check` it writes nothing and fails where one is stale.
import { join } from 'node:path';
import { readFileIfExists, writeFileIfChanged } from '@rfo/foundation';
import {
  agentConfig,
  loadCaOptions,
  loadClusterAgentConfig,
  loadManagerCliOptions,
  loadManagerSchema,
  loadNetworkOptions,
  renderCommandReference,
  renderErrorReference,
  renderFlagReference,
  serverConfig,
} from '@rfo/schema';

const root = join(import.meta.dirname, '..');
const [{ caCommandConfigs }, { networkCommandConfigs }, { managerCommandConfigs }] = await Promise.all([
  loadCaOptions(),
  loadNetworkOptions(),
  loadManagerCliOptions(),
]);
const [{ managerConfig, renderObjectReference, renderWatchReference }, clusterAgentConfig] = await Promise.all([
  loadManagerSchema(),
  loadClusterAgentConfig(),
]);
const folder = '/etc/rancher/rfo';
const generated: Readonly<Record<string, () => string>> = {
  'docs/reference/flags.md': () => renderFlagReference(serverConfig),
  'docs/reference/agent-flags.md': () => renderFlagReference(agentConfig),
  'docs/reference/ca-flags.md': () => renderCommandReference('Flags of the certificate authority', caCommandConfigs),
  'docs/reference/network-flags.md': () => renderCommandReference('Flags of `rfo network` and `rfo service`', networkCommandConfigs),
  'docs/reference/manager-flags.md': () => renderFlagReference(managerConfig, { program: 'rfo-manager', file: `${folder}/manager.yaml` }),
  'docs/reference/cluster-agent-flags.md': () =>
    renderFlagReference(clusterAgentConfig, { program: 'rfo-cluster-agent', file: `${folder}/cluster-agent.yaml` }),
  'docs/reference/manager-command-flags.md': () => renderCommandReference('Flags of `rfo manager`', managerCommandConfigs),
  'docs/reference/manager-objects.md': () => renderObjectReference(),
  'docs/reference/manager-watch.md': () => renderWatchReference(),
  'docs/reference/errors.md': () => renderErrorReference(),
};

const check = process.argv.includes('--check');
for (const [file, render] of Object.entries(generated)) {
  const path = join(root, file);
  const content = render();
  if (!check) {
    if (await writeFileIfChanged(path, content, 0o644)) console.log(`written: ${file}`);
  } else if ((await readFileIfExists(path)) !== content) {
    console.error(`${file} is stale. Run: npm run generate`);
    process.exitCode = 1;
  }
}
