import { corednsImage } from './coredns.ts';
import { metricsServerImage } from './metrics-server.ts';
import { pauseImage } from './pause.ts';
import type { ImageRecipe } from './recipe.ts';

/** Every image of a bundle. */
export const bundledImages: readonly ImageRecipe[] = [pauseImage, corednsImage, metricsServerImage];
export { programImages } from './programs.ts';
export { type ImageRecipe, imageRegistry } from './recipe.ts';
export { testboxImage } from './testbox.ts';
