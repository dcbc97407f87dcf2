import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { addonName, shortName } from './addon-name.ts';
import { type AddonRecord, parseAddon, renderAddon, renderStatus, withState } from './addon-record.ts';
import { inPhases, phaseOf } from './apply-order.ts';
import { renderEvent } from './event.ts';
import { parseManifest } from './parse-manifest.ts';
import { objectsToPrune, unite } from './prune-objects.ts';
import { renderManifest } from './stage-manifests.ts';
import { compare } from './watch-manifests.ts';

const ref = (kind: string, name: string, apiVersion = 'v1') => ({ apiVersion, kind, name });

describe('a manifest', () => {
  it('is read document by document, lists taken apart, empty ones left out', async () => {
    const text =
      'apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n# nothing\n---\nkind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: B, metadata: {name: b}}\n';
    const objects = await parseManifest(text, 'x.yaml');
    assert.deepEqual(
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ['A a', 'B b'],
    );
    assert.deepEqual(await parseManifest('', 'x.yaml'), []);
    assert.deepEqual(await parseManifest('', 'x.json'), []);
  });

  it('reads scalars as kubectl does', async () => {
    const [object] = await parseManifest(
      '{apiVersion: v1, kind: A, metadata: {name: a}, spec: [yes, off, 12:30, 2001-01-01, 0755, "x"]}',
      'x.yaml',
    );
    assert.deepEqual(object?.spec, [true, false, '12:30', '2001-01-01', 493, 'x']);
  });

  it('that is not one says where and why', async () => {
    const problems: [string, string, RegExp][] = [
      ['a: [', 'x.yaml', /the manifest x\.yaml is not valid: .*at line 1/],
      ['{', 'x.json', /the manifest x\.json is not valid: /],
      ['kind: A', 'x.yaml', /document 1: apiVersion is missing/],
      ['apiVersion: v1', 'x.yaml', /document 1: kind is missing/],
      ['{apiVersion: v1, kind: A}\n---\nhello', 'x.yaml', /document 1: A has no metadata\.name/],
      ['hello', 'x.yaml', /document 1: it is not an object/],
      ['{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: B}]}', 'x.yaml', /document 1, item 1: B has no metadata\.name/],
    ];
    for (const [text, file, message] of problems) await assert.rejects(parseManifest(text, file), message);
  });
});

describe('the order of application', () => {
  it('puts first what others need', () => {
    const kinds = [
      ref('Widget', 'w', 'example.org/v1'),
      ref('VolumeSnapshotClass', 'v', 'snapshot.storage.k8s.io/v1'),
      ref('Deployment', 'd', 'apps/v1'),
      ref('APIService', 'a', 'apiregistration.k8s.io/v1'),
      ref('Service', 's'),
      ref('ServiceAccount', 'sa'),
      ref('CustomResourceDefinition', 'c', 'apiextensions.k8s.io/v1'),
      ref('Namespace', 'n'),
    ];
    assert.deepEqual(
      inPhases(kinds).map((phase) => phase.map(({ name }) => name)),
      [['n'], ['c'], ['s', 'sa'], ['d'], ['w', 'v', 'a']],
    );
    assert.equal(phaseOf(ref('HorizontalPodAutoscaler', 'h', 'autoscaling/v2')), 2);
  });
});

describe('pruning', () => {
  it('takes what was held, is no longer wanted, and no other file holds', () => {
    const held = [ref('ConfigMap', 'kept'), ref('ConfigMap', 'dropped'), ref('ConfigMap', 'moved'), ref('Namespace', 'kube-system')];
    const pruned = objectsToPrune({ held, wanted: [ref('ConfigMap', 'kept')], heldByOthers: [ref('ConfigMap', 'moved')] });
    assert.deepEqual(pruned, [ref('ConfigMap', 'dropped')]);
  });

  it('takes another version of a kind for the same object, and another namespace for another', () => {
    const held = [ref('Ingress', 'a', 'networking.k8s.io/v1beta1'), { ...ref('ConfigMap', 'a'), namespace: 'one' }];
    const wanted = [ref('Ingress', 'a', 'networking.k8s.io/v1'), { ...ref('ConfigMap', 'a'), namespace: 'two' }];
    assert.deepEqual(objectsToPrune({ held, wanted, heldByOthers: [] }), [held[1]]);
    assert.deepEqual(unite(held, wanted), [wanted[0], held[1], wanted[1]]);
  });
});

describe('the name of an Addon', () => {
  const record = (name: string, source: string): AddonRecord => ({
    name,
    source,
    checksum: '',
    node: 'n',
    objects: [],
    reason: 'Applied',
    message: '',
    since: '',
  });

  it('is the file name up to its first dot', () => {
    assert.deepEqual(['/m/rfo-coredns.yaml', '/m/My_App.v2.yaml', '/m/_.json'].map(shortName), ['rfo-coredns', 'my-app', 'manifest']);
  });

  it('differs where another file has it, and is taken over where that file is gone', () => {
    const records = [record('app', '/m/app.yaml')];
    assert.equal(addonName('/m/app.yaml', { records, files: new Set(['/m/app.yaml']) }), 'app');
    assert.match(addonName('/m/x/app.yml', { records, files: new Set(['/m/app.yaml', '/m/x/app.yml']) }), /^app-[0-9a-f]{6}$/);
    assert.equal(addonName('/new/app.yaml', { records, files: new Set(['/new/app.yaml']) }), 'app');
  });
});

describe('an Addon', () => {
  const record: AddonRecord = {
    name: 'app',
    source: '/m/app.yaml',
    checksum: 'abc',
    node: 'node-1',
    objects: [ref('Service', 's'), ref('Deployment', 'd', 'apps/v1'), ref('Service', 't')],
    reason: 'ApplyFailed',
    message: 'no',
    since: '2026-01-01T00:00:00Z',
  };

  it('is written as K3s writes it, with a status of our own', () => {
    assert.deepEqual(renderAddon(record), {
      apiVersion: 'k3s.cattle.io/v1',
      kind: 'Addon',
      metadata: {
        name: 'app',
        namespace: 'kube-system',
        annotations: { 'addon.k3s.cattle.io/gvks': '/v1, Kind=Service;apps/v1, Kind=Deployment', 'addon.rfo.io/node': 'node-1' },
      },
      spec: { source: '/m/app.yaml', checksum: 'abc' },
    });
    assert.deepEqual(renderStatus(record).status, {
      conditions: [{ type: 'Applied', status: 'False', reason: 'ApplyFailed', message: 'no', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      objects: record.objects,
      error: 'no',
    });
  });

  it('is read back as it was', () => {
    assert.deepEqual(parseAddon({ ...renderAddon(record), status: renderStatus(record).status ?? {} }), record);
  });

  it('says since when it is applied or not', () => {
    const now = new Date('2026-02-02T02:02:02.345Z');
    assert.equal(withState(record, { reason: 'Applying', message: '' }, { previous: record, now }).since, '2026-01-01T00:00:00Z');
    assert.equal(withState(record, { reason: 'Applied', message: '' }, { previous: record, now }).since, '2026-02-02T02:02:02Z');
    assert.equal(withState(record, { reason: 'Applied', message: '' }, { previous: undefined, now }).since, '2026-02-02T02:02:02Z');
  });
});

describe('an Event', () => {
  it('names the Addon, and warns of failures', () => {
    const now = new Date('2026-02-02T02:02:02.345Z');
    const { metadata, ...event } = renderEvent(
      { addon: 'app', reason: 'ApplyManifestFailed', message: 'm'.repeat(2000) },
      { uid: 'u', node: 'n', now },
    );
    assert.match(metadata.name, /^app\.19c1c15e2e9[0-9a-f]{8}$/);
    assert.equal(event.message.length, 1024);
    assert.deepEqual(
      { ...event, message: '' },
      {
        apiVersion: 'v1',
        kind: 'Event',
        involvedObject: { apiVersion: 'k3s.cattle.io/v1', kind: 'Addon', name: 'app', namespace: 'kube-system', uid: 'u' },
        type: 'Warning',
        reason: 'ApplyManifestFailed',
        message: '',
        firstTimestamp: '2026-02-02T02:02:02Z',
        lastTimestamp: '2026-02-02T02:02:02Z',
        count: 1,
        source: { component: 'rfo-addons', host: 'n' },
      },
    );
  });
});

describe('the manifest directory', () => {
  it('has changed files and gone ones; a skipped file is neither', () => {
    const files = (entries: Record<string, string>, skipped: string[] = []) => ({
      files: new Map(Object.entries(entries)),
      skipped: new Set(skipped),
      folders: [],
    });
    assert.deepEqual(compare(files({ a: '1', b: '1', c: '1', d: '1' }, ['e']), files({ a: '1', b: '2', n: '1' }, ['c'])), {
      changed: ['b', 'n'],
      gone: ['d', 'e'],
    });
  });
});

describe('the packaged manifests', () => {
  const charts = join(import.meta.dirname, '../../../../charts');
  const variables = {
    CLUSTER_DNS: '10.43.0.10',
    CLUSTER_DOMAIN: 'cluster.local',
    CLUSTER_CIDR: '10.42.0.0/16',
    SYSTEM_DEFAULT_REGISTRY: 'registry.example.com/',
  };

  it('are valid, and name no image that is not ours', async () => {
    const images: string[] = [];
    for (const file of await readdir(charts)) {
      const text = renderManifest(await readFile(join(charts, file), 'utf8'), { variables, file });
      assert.ok((await parseManifest(text, file)).length > 0);
      images.push(...[...text.matchAll(/image: (.*)/g)].map(([, image = '']) => image));
    }
    assert.deepEqual(images, ['registry.example.com/rfo.io/coredns:1.15.0', 'registry.example.com/rfo.io/metrics-server:0.9.0']);
  });

  it('may use no variable that has no value', () => {
    assert.throws(
      () => renderManifest('a: %{NOPE}%', { variables, file: 'x.yaml' }),
      /the manifest x\.yaml is not valid: there is no value for %\{NOPE\}%/,
    );
  });
});
