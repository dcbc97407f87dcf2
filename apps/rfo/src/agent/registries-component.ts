/** Keeps containerd's registry files as registries.yaml says, from the start on and whenever it changes. */
import { watch } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readFileIfExists, systemCode, writeFileIfChanged } from '@rfo/foundation';
import type { TaskComponent } from '../component/component.ts';
import type { AgentInputs } from './inputs.ts';
import { parseRegistries, renderRegistryHosts } from './registries.ts';

/** The folder of registry files is wholly ours: a registry that left the file leaves the folder. */
export function registriesComponent(inputs: AgentInputs): TaskComponent {
  const file = inputs.config['private-registry'];
  return {
    kind: 'task',
    name: 'registries',
    needs: [],
    run: async ({ life, log }) => {
      await mkdir(dirname(file), { recursive: true, mode: 0o755 });
      let running = Promise.resolve();
      const watcher = watch(dirname(file), (_, name) => {
        if (name !== null && name !== basename(file)) return;
        running = running
          .then(async () => {
            if (await applyRegistries(inputs)) log.info('registries changed', { file });
          })
          .catch((error: unknown) => log.error('registries left as they were', { error }));
      });
      life.defer(async () => {
        watcher.close();
        await running;
      });
      await applyRegistries(inputs);
    },
  };
}

/**
 * Tells whether anything changed.
 * @throws config-invalid, config-unreadable
 */
async function applyRegistries({ config, paths }: Pick<AgentInputs, 'config' | 'paths'>): Promise<boolean> {
  const file = config['private-registry'];
  const folder = paths.agent.registryHosts;
  const wanted = renderRegistryHosts({
    registries: parseRegistries((await readFileIfExists(file)) ?? '', file),
    folder,
    file,
    disableDefaultEndpoint: config['disable-default-registry-endpoint'],
  });
  // Credentials may be in them.
  const written = await Promise.all(wanted.map(({ path, content }) => writeFileIfChanged(path, content, 0o600)));
  const keep = new Set(wanted.map(({ path }) => basename(dirname(path))));
  const gone = (await list(folder)).filter((name) => !keep.has(name));
  await Promise.all(gone.map((name) => rm(join(folder, name), { recursive: true })));
  return gone.length > 0 || written.includes(true);
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}
