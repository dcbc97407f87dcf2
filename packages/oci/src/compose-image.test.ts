import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { composeImage, type ImageSpec } from './compose-image.ts';

const spec: ImageSpec = {
  name: 'rfo.io/hello',
  tag: '1.2',
  arch: 'amd64',
  files: [
    { path: '/usr/bin/hello', mode: 0o755, content: 'binary' },
    { path: '/etc/passwd', content: 'root:x:0:0:root:/:/sbin/nologin\n' },
    { path: '/tmp', directory: true, mode: 0o1777 },
    { path: '/hello', target: 'usr/bin/hello' },
  ],
  config: { entrypoint: ['/hello'], user: '65532:65532' },
};

test('the same input gives the same archive, whatever the order of its files', () => {
  const once = composeImage(spec);
  const again = composeImage({ ...spec, files: spec.files.toReversed() });
  assert.equal(again.digest, once.digest);
  assert.deepEqual(Buffer.concat(again.archive), Buffer.concat(once.archive));
});

test('the digest is fixed, so that every host and every version of Node makes the same image', () => {
  assert.equal(composeImage(spec).digest, 'sha256:9fbfd34043b038826cac5f096dc277e9a6fb4632847d29dfcaddc8b7491b17b5');
});

test('any change of a file, a mode or the configuration changes the digest', () => {
  const { digest } = composeImage(spec);
  const changed: ImageSpec[] = [
    { ...spec, arch: 'arm64' },
    { ...spec, config: { ...spec.config, user: '1:1' } },
    { ...spec, files: [...spec.files, { path: '/x', content: '' }] },
    { ...spec, files: spec.files.map((file) => (file.path === '/etc/passwd' ? { ...file, mode: 0o600 } : file)) },
  ];
  for (const other of changed) assert.notEqual(composeImage(other).digest, digest);
});

test('the archive is an OCI layout whose blobs have the digests and sizes that lead to them', () => {
  const image = composeImage(spec);
  const archive = Buffer.concat(image.archive);
  assert.deepEqual(JSON.parse(extract(archive, 'oci-layout').toString()), { imageLayoutVersion: '1.0.0' });
  const index = JSON.parse(extract(archive, 'index.json').toString());
  assert.deepEqual(index.manifests.length, 1);
  assert.equal(index.manifests[0].digest, image.digest);
  assert.deepEqual(index.manifests[0].annotations, {
    'io.containerd.image.name': 'rfo.io/hello:1.2',
    'org.opencontainers.image.ref.name': '1.2',
  });
  const manifest = JSON.parse(blob(archive, index.manifests[0]).toString());
  const config = JSON.parse(blob(archive, manifest.config).toString());
  assert.deepEqual(config, {
    architecture: 'amd64',
    os: 'linux',
    config: { User: '65532:65532', Entrypoint: ['/hello'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [manifest.layers[0].digest] },
  });
  const layer = blob(archive, manifest.layers[0]);
  assert.deepEqual(list(layer), ['etc/', 'etc/passwd', 'hello', 'tmp/', 'usr/', 'usr/bin/', 'usr/bin/hello']);
});

test('a path that is relative, not plain, or given twice is refused', () => {
  const withPaths = (...paths: readonly string[]): ImageSpec => ({ ...spec, files: paths.map((path) => ({ path, content: '' })) });
  assert.throws(() => composeImage(withPaths('etc')), /not an absolute, plain path: etc/);
  assert.throws(() => composeImage(withPaths('/etc/../x')), /not an absolute, plain path/);
  assert.throws(() => composeImage(withPaths('/x', '/x')), /given twice: \/x/);
});

function blob(archive: Uint8Array, descriptor: { readonly digest: string; readonly size: number }): Buffer {
  const content = extract(archive, `blobs/${descriptor.digest.replace(':', '/')}`);
  assert.equal(content.length, descriptor.size);
  assert.equal(`sha256:${createHash('sha256').update(content).digest('hex')}`, descriptor.digest);
  return content;
}

function extract(archive: Uint8Array, path: string): Buffer {
  const result = spawnSync('tar', ['-xOf', '-', path], { input: archive });
  assert.equal(result.stderr.toString(), '');
  return result.stdout;
}

function list(archive: Uint8Array): string[] {
  return spawnSync('tar', ['-tf', '-'], { input: archive, encoding: 'utf8' }).stdout.trim().split('\n');
}
