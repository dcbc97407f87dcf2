export { type ComposedImage, composeImage, type ImageConfig, type ImageSpec } from './compose-image.ts';
export type { FileEntry } from './file-tree.ts';
export { type TarEntry, tar } from './tar.ts';
