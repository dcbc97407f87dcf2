/** Whether the host is big and quick enough. */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { existingFolder } from '../probe.ts';
import { type Check, type Finding, ok, warn } from './finding.ts';

/** etcd's own advice: 99 of 100 writes of its log on disk within 10 ms. */
const goodSync = 10;

export const checkResources: Check = async ({ host, paths }) => {
  const gib = host.memoryBytes / 2 ** 30;
  return [
    // A machine sold with 4 GB shows somewhat less.
    gib < 3.5 ? warn('memory', `${gib.toFixed(1)} GiB`, 'Give it 4 GiB or more') : ok('memory', `${gib.toFixed(1)} GiB`),
    host.cpus < 2 ? warn('processors', `${host.cpus}`, 'Give it 2 or more') : ok('processors', `${host.cpus}`),
    await diskSync(paths.data),
  ];
};

/** Writes as etcd does: 2 KiB after each other, each synced. */
async function diskSync(dataDir: string): Promise<Finding> {
  const folder = join(await existingFolder(dataDir), `.rfo-sync-${process.pid}`);
  await mkdir(folder, { mode: 0o700 });
  try {
    await using file = await open(join(folder, 'log'), 'w');
    const times: number[] = [];
    for (let round = 0; round < 100; round++) {
      const since = performance.now();
      await file.write(Buffer.alloc(2048));
      await file.datasync();
      times.push(performance.now() - since);
    }
    const slowest = times.toSorted((a, b) => a - b)[98] ?? 0;
    const found = `${slowest.toFixed(1)} ms for 99 of 100 writes`;
    return slowest <= goodSync
      ? ok('disk speed', found)
      : warn('disk speed', `${found}, etcd wants ${goodSync} ms`, 'Put data-dir on an SSD of its own');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
