import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { archivesToImport, importedImages } from './images.ts';

describe('images', () => {
  const archive = { path: '/i/a.tar', size: 10, mtimeMs: 1 };
  const cache = { '/i/a.tar': { size: 10, mtimeMs: 1, images: { 'rfo.io/a:1': 'sha256:aa' } } };
  const present = new Map([['rfo.io/a:1', 'sha256:aa']]);

  test('are imported once', () => {
    assert.deepEqual(archivesToImport([archive], { cache: {}, present: new Map() }), [archive]);
    assert.deepEqual(archivesToImport([archive], { cache, present }), []);
  });

  test('are imported again when the archive changed or containerd lost them', () => {
    assert.deepEqual(archivesToImport([{ ...archive, mtimeMs: 2 }], { cache, present }), [{ ...archive, mtimeMs: 2 }]);
    assert.deepEqual(archivesToImport([{ ...archive, size: 11 }], { cache, present }), [{ ...archive, size: 11 }]);
    assert.deepEqual(archivesToImport([archive], { cache, present: new Map() }), [archive]);
    assert.deepEqual(archivesToImport([archive], { cache, present: new Map([['rfo.io/a:1', 'sha256:bb']]) }), [archive]);
  });

  test('of the system are imported again when the registry of the system changed, others are not', () => {
    const state = { cache, present, registry: 'registry.example.com:5000' };
    assert.deepEqual(archivesToImport([archive], state), [archive]);
    const both = new Map([...present, ['registry.example.com:5000/rfo.io/a:1', 'sha256:aa']]);
    assert.deepEqual(archivesToImport([archive], { ...state, present: both }), []);
    const foreign = { '/i/a.tar': { size: 10, mtimeMs: 1, images: { 'docker.io/library/a:1': 'sha256:aa' } } };
    const state2 = { ...state, cache: foreign, present: new Map([['docker.io/library/a:1', 'sha256:aa']]) };
    assert.deepEqual(archivesToImport([archive], state2), []);
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
