/**
 * Composes OCI images from files, with nothing in them of when and where that was done: same input, same digest.
 * Formats: OCI image-spec 1.1 (image-layout.md, manifest.md, config.md). Layers are not compressed: zlib's output differs between
 * versions and processors, and an import that need not inflate is faster; what carries bundles around compresses them whole.
 */
import { createHash } from 'node:crypto';
import { type FileEntry, layerEntries } from './file-tree.ts';
import { tar } from './tar.ts';

export type ImageConfig = {
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  /** `user` or `uid:gid`; root when left out. */
  readonly user?: string;
  readonly env?: readonly string[];
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

export type ImageSpec = {
  /** With its registry: `rfo.io/pause`. */
  readonly name: string;
  readonly tag: string;
  /** As Go names it: amd64, arm64, riscv64. */
  readonly arch: string;
  readonly files: readonly FileEntry[];
  readonly config: ImageConfig;
};

export type ComposedImage = {
  /** `name:tag`, under which containerd lists it after the import. */
  readonly reference: string;
  /** Digest of the manifest: `sha256:…`. */
  readonly digest: string;
  /** An OCI layout as one tar, in pieces for `writeFile`; `ctr -n k8s.io images import` takes it. */
  readonly archive: readonly Uint8Array[];
};

/** Renders an image of one layer. Throws TypeError or RangeError where the files cannot be one layer (see `layerEntries` and `tar`). */
export function composeImage(spec: ImageSpec): ComposedImage {
  const layer = blob('application/vnd.oci.image.layer.v1.tar', tar(layerEntries(spec.files)));
  const config = json('application/vnd.oci.image.config.v1+json', imageConfig(spec, layer.descriptor.digest));
  const manifest = json('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: config.descriptor,
    layers: [layer.descriptor],
  });
  const reference = `${spec.name}:${spec.tag}`;
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [namedManifest(spec, manifest.descriptor, reference)],
  };
  const files = [
    { path: '/oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    { path: '/index.json', content: JSON.stringify(index) },
    ...[layer, config, manifest].map(({ descriptor, pieces }) => ({
      path: `/blobs/${descriptor.digest.replace(':', '/')}`,
      content: pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces),
    })),
  ];
  return { reference, digest: manifest.descriptor.digest, archive: tar(layerEntries(files)) };
}

type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number };
type Blob = { readonly descriptor: Descriptor; readonly pieces: readonly Uint8Array[] };

function imageConfig(spec: ImageSpec, diffId: string): object {
  const { entrypoint, command, user, env, workingDir, labels } = spec.config;
  return {
    architecture: spec.arch,
    os: 'linux',
    config: { User: user, Env: env, Entrypoint: entrypoint, Cmd: command, WorkingDir: workingDir ?? '/', Labels: labels },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
}

/** containerd takes the whole name from its own annotation; others read the standard one. */
function namedManifest(spec: ImageSpec, descriptor: Descriptor, reference: string): object {
  return {
    ...descriptor,
    platform: { architecture: spec.arch, os: 'linux' },
    annotations: { 'io.containerd.image.name': reference, 'org.opencontainers.image.ref.name': spec.tag },
  };
}

function json(mediaType: string, content: object): Blob {
  return blob(mediaType, [Buffer.from(JSON.stringify(content))]);
}

function blob(mediaType: string, pieces: readonly Uint8Array[]): Blob {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  const size = pieces.reduce((total, piece) => total + piece.length, 0);
  return { descriptor: { mediaType, digest: `sha256:${hash.digest('hex')}`, size }, pieces };
}
