import type { FileEntry, ImageConfig } from '@rfo/oci';
import { baseFiles, nonroot } from './accounts.ts';

/** An image of one of our own programs: Node, and below /app the program with what it imports. */
export type ProgramRecipe = {
  /** Without the registry: `cluster-agent`. */
  readonly name: string;
  /** Folder of the program in the repository. */
  readonly app: string;
  readonly files: readonly FileEntry[];
  readonly config: ImageConfig;
};

/** The agent of an imported cluster. It makes few objects that last, so little room for new ones is enough, and one heap for all threads. */
const clusterAgentImage: ProgramRecipe = {
  name: 'cluster-agent',
  app: 'apps/cluster-agent',
  files: baseFiles,
  config: {
    entrypoint: ['/usr/bin/node', '--max-semi-space-size=1', '/app/src/main.js'],
    user: nonroot,
    env: ['NODE_ENV=production', 'MALLOC_ARENA_MAX=1'],
    workingDir: '/app',
  },
};

/** A replica of the manager. Room for new objects is kept small: cleared when it has grown to 16 MB, it stops every request for 14 ms (docs/decisions/0029). */
const managerImage: ProgramRecipe = {
  name: 'manager',
  app: 'apps/manager',
  files: baseFiles,
  config: {
    entrypoint: ['/usr/bin/node', '--max-semi-space-size=2', '/app/src/main.js'],
    user: nonroot,
    env: ['NODE_ENV=production'],
    workingDir: '/app',
  },
};

/** Every image of our own programs. */
export const programImages: readonly ProgramRecipe[] = [clusterAgentImage, managerImage];
