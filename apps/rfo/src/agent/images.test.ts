import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { archivesToImport, importedImages } from './images.ts';

describe('images', () => {
  const archive = { path: '/i/a.tar', size: 10, mtimeMs: 1 };
  const cache = { '/i/a.tar': { size: 10, mtimeMs: 1, images: { 'rfo.io/a:1': 'sha256:aa' } } };
  const present = new Map([['rfo.io/a:1', 'sha256:aa']]);

  test('are imported once', () => {
    assert.deepEqual(archivesToImport([archive], {}, new Map()), [archive]);
    assert.deepEqual(archivesToImport([archive], cache, present), []);
  });

  test('are imported again when the archive changed or containerd lost them', () => {
    assert.deepEqual(archivesToImport([{ ...archive, mtimeMs: 2 }], cache, present), [{ ...archive, mtimeMs: 2 }]);
    assert.deepEqual(archivesToImport([{ ...archive, size: 11 }], cache, present), [{ ...archive, size: 11 }]);
    assert.deepEqual(archivesToImport([archive], cache, new Map()), [archive]);
    assert.deepEqual(archivesToImport([archive], cache, new Map([['rfo.io/a:1', 'sha256:bb']])), [archive]);
  });

  test('are named by what ctr says', () => {
    assert.deepEqual(
      importedImages('unpacking rfo.io/metrics-server:0.9.0 (sha256:7b1e)...done\nunpacking b@sha256:cc (sha256:cc)...done\n'),
      {
        'rfo.io/metrics-server:0.9.0': 'sha256:7b1e',
        'b@sha256:cc': 'sha256:cc',
      },
    );
  });
});
