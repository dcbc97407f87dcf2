import { baseFiles, nonroot } from './accounts.ts';
import type { ImageRecipe } from './recipe.ts';

export const metricsServerImage: ImageRecipe = {
  name: 'metrics-server',
  binaries: [{ path: '/metrics-server', output: 'metrics-server' }],
  files: baseFiles,
  config: { entrypoint: ['/metrics-server'], user: nonroot },
};
