import type { FileEntry, ImageConfig } from '@rfo/oci';

/** What goes into an image, as data. Its tag is the version of its component, without the v. */
export type ImageRecipe = {
  /** Without the registry: `coredns`. */
  readonly name: string;
  /** Binaries of the component with the same name. */
  readonly binaries: readonly { readonly path: string; readonly output: string }[];
  readonly files: readonly FileEntry[];
  readonly config: ImageConfig;
};

/** Every image of ours is named `rfo.io/<name>:<version>`; nothing answers under that name, so that a node never pulls what it was given. */
export const imageRegistry = 'rfo.io';
