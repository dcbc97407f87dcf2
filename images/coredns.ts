import { baseFiles, nonroot } from './accounts.ts';
import type { ImageRecipe } from './recipe.ts';

/** It listens on port 53 without root because containerd lets containers bind low ports (enable_unprivileged_ports). */
export const corednsImage: ImageRecipe = {
  name: 'coredns',
  binaries: [{ path: '/coredns', output: 'coredns' }],
  files: baseFiles,
  config: { entrypoint: ['/coredns'], user: nonroot },
};
