import type { ImageRecipe } from './recipe.ts';

/** User as in upstream's image: a pod that forbids root must be able to have it. */
export const pauseImage: ImageRecipe = {
  name: 'pause',
  binaries: [{ path: '/pause', output: 'pause' }],
  files: [],
  config: { entrypoint: ['/pause'], user: '65535:65535' },
};
