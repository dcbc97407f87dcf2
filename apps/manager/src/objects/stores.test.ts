// Stores over a real API server, as two replicas of the manager have them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLog, Life, silentLog } from '@rfo/foundation';
import { apiStatus, isConflict, type KubeClient, startTestCluster, type TestCluster } from '@rfo/kube';
import { installCrds } from './install-crds.ts';
import { type Objects, openObjects } from './open-objects.ts';
import { managerApiVersion } from './schema.ts';

let cluster: TestCluster;
let client: KubeClient;
const life = new Life();
const lines: string[] = [];
const log = createLog({ write: (line) => lines.push(line), level: 'debug' });
let one: Objects;
let other: Objects;
before(async () => {
  cluster = await startTestCluster();
  client = cluster.client;
  await installCrds(client, { log, signal: life.signal });
  [one, other] = await Promise.all([openObjects({ client, life, log }), openObjects({ client, life, log: silentLog })]);
});
after(async () => {
  await life.end();
  await cluster?.stop();
});

const user = (name: string, more: { readonly groups?: readonly string[]; readonly enabled?: boolean } = {}) => ({
  metadata: { name },
  spec: { username: `${name}@Example`, enabled: true, ...more },
});

/** Resolves with the first change that is wanted. */
function change<T>(
  subscribe: (listener: (name: string, now: T | undefined) => void) => () => void,
  wanted: (name: string, now: T | undefined) => boolean,
) {
  return new Promise<T | undefined>((resolve) => {
    const end = subscribe((name, now) => {
      if (!wanted(name, now)) return;
      end();
      resolve(now);
    });
  });
}

describe('a store', () => {
  it('shows what was written as soon as the write returns', async () => {
    const made = await one.users.create(user('ann', { groups: ['shop'] }));
    assert.deepEqual(made.spec.identities, []);
    assert.equal(one.users.get('ann')?.metadata.uid, made.metadata.uid);
    assert.deepEqual(
      one.users.by('group', 'shop').map(({ metadata }) => metadata.name),
      ['ann'],
    );
    assert.equal(one.users.by('username', 'ann@example')[0], one.users.get('ann'));

    await one.users.patch('ann', { spec: { groups: ['field'] } });
    assert.deepEqual(one.users.by('group', 'shop'), []);
    assert.equal(one.users.by('group', 'field').length, 1);

    await one.users.patchStatus('ann', { lastLogin: '2026-11-21T18:00:00Z' });
    assert.equal(one.users.get('ann')?.status?.lastLogin, '2026-11-21T18:00:00Z');

    assert.equal(await one.users.delete('ann'), true);
    assert.equal(one.users.get('ann'), undefined);
    assert.deepEqual(one.users.list(), []);
    assert.equal(await one.users.delete('ann'), false);
  });

  it('shows a write that changes nothing at once, too', async () => {
    await one.settings.create({ metadata: { name: 'same' }, spec: { value: 'x' } });
    const again = await one.settings.patch('same', { spec: { value: 'x' } });
    assert.equal(again.metadata.resourceVersion, one.settings.get('same')?.metadata.resourceVersion);
  });

  it('takes an object that was replaced by another of the same name for the new one', async () => {
    const first = await one.settings.create({ metadata: { name: 'reborn' }, spec: { value: '1' } });
    await one.settings.delete('reborn');
    const second = await one.settings.create({ metadata: { name: 'reborn' }, spec: { value: '2' } });
    assert.notEqual(second.metadata.uid, first.metadata.uid);
    assert.equal(one.settings.get('reborn')?.spec.value, '2');
    assert.equal(await one.settings.delete('reborn', { uid: first.metadata.uid ?? '' }).catch((error: unknown) => isConflict(error)), true);
    assert.equal(one.settings.get('reborn')?.spec.value, '2');
  });

  it('leaves an object that a finalizer keeps to be seen as one that is going', async () => {
    await one.clusters.create({ metadata: { name: 'kept', finalizers: ['rfo.io/test'] }, spec: {} });
    await one.clusters.delete('kept');
    assert.notEqual(one.clusters.get('kept')?.metadata.deletionTimestamp, undefined);
    const gone = change(one.clusters.onChange, (name, now) => name === 'kept' && now === undefined);
    await client.patch({ apiVersion: managerApiVersion, kind: 'Cluster', name: 'kept' }, { metadata: { finalizers: null } });
    await gone;
    assert.equal(one.clusters.get('kept'), undefined);
  });

  it('refuses to replace what somebody else has changed meanwhile', async () => {
    const read = await one.settings.create({ metadata: { name: 'raced' }, spec: { value: '1' } });
    await other.settings.patch('raced', { spec: { value: '2' } });
    await assert.rejects(one.settings.replace({ ...read, spec: { value: '3' } }), isConflict);
    assert.equal(
      (
        await client.get<{ apiVersion: string; kind: string; metadata: { name: string }; spec: { value: string } }>({
          apiVersion: managerApiVersion,
          kind: 'Setting',
          name: 'raced',
        })
      ).spec.value,
      '2',
    );
  });

  it('passes on why the API server refuses', async () => {
    await assert.rejects(one.users.create({ metadata: { name: 'wrong' }, spec: { username: 'a b', enabled: true } }), (error) => {
      assert.match(apiStatus(error)?.message ?? '', /spec\.username/);
      return true;
    });
    await assert.rejects(one.users.patch('nobody', { spec: { enabled: false } }), (error) => apiStatus(error)?.status === 404);
  });

  it('tells every change with what was before, and goes on when a listener fails', async () => {
    const endBad = one.settings.onChange(() => {
      throw new Error('a bad listener');
    });
    const told: string[] = [];
    const end = one.settings.onChange((name, now, before) => told.push(`${name} ${before?.spec.value} ${now?.spec.value}`));
    await one.settings.create({ metadata: { name: 'told' }, spec: { value: '1' } });
    await one.settings.patch('told', { spec: { value: '2' } });
    await one.settings.delete('told');
    end();
    endBad();
    await one.settings.create({ metadata: { name: 'told' }, spec: { value: '3' } });
    assert.deepEqual(told, ['told undefined 1', 'told 1 2', 'told 2 undefined']);
    assert.ok(lines.some((line) => line.includes('a listener to Setting failed') && line.includes('a bad listener')));
  });

  it('names all keys to a controller, those that are there first', async () => {
    await one.projects.create({ metadata: { name: 'before' }, spec: {} });
    const keys: string[] = [];
    const end = one.projects.keys().subscribe((key) => keys.push(key));
    await one.projects.create({ metadata: { name: 'later' }, spec: {} });
    end();
    assert.deepEqual(keys, ['before', 'later']);
  });
});

describe('two replicas', () => {
  it('see what the other writes', async () => {
    const seen = change(other.roleTemplates.onChange, (name) => name === 'shared');
    await one.roleTemplates.create({ metadata: { name: 'shared' }, spec: { scope: 'global' } });
    assert.equal((await seen)?.spec.scope, 'global');
  });

  it('find what the other has just made even before they have heard of it', async () => {
    const { client: late, asked, stall } = stallable(client);
    const objects = await openObjects({ client: late, life, log: silentLog });
    const release = stall();
    await one.tokens.create({ metadata: { name: 'fresh' }, spec: token });
    assert.equal(objects.tokens.get('fresh'), undefined);
    assert.equal((await objects.tokens.find('fresh'))?.spec.user, 'u-ann');
    release();
    asked.length = 0;
    const answers = await Promise.all([objects.tokens.find('unknown'), objects.tokens.find('unknown')]);
    assert.deepEqual(answers, [undefined, undefined]);
    assert.deepEqual(asked, ['unknown']);
  });
});

describe('a malformed object', () => {
  it('is left out, told of with its name and the reason, and counts from the moment it is mended', async () => {
    // As another version would have written it: the definition does not refuse it while it is loosened.
    const crd = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: 'authproviders.rfo.io' };
    await one.authProviders.create({
      metadata: { name: 'sound' },
      spec: { type: 'github', displayName: 'Company', enabled: true, github: { clientId: 'rfo' } },
    });
    await client.patch(
      crd,
      [
        { op: 'remove', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/type/enum' },
        { op: 'remove', path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/type/x-kubernetes-validations' },
      ],
      { type: 'json' },
    );
    const ref = { apiVersion: managerApiVersion, kind: 'AuthProvider', name: 'odd' };
    const object = {
      apiVersion: managerApiVersion,
      kind: 'AuthProvider',
      metadata: { name: 'odd' },
      spec: { type: 'carrier-pigeon', displayName: 'Pigeons', enabled: true },
    };
    await created(object);
    const reported = (): boolean =>
      lines.some((line) => line.includes('AuthProvider odd is left out') && line.includes('spec.type is none of oidc, ldap, github'));
    const next = change(one.authProviders.onChange, (name) => name === 'after');
    await client.create({ ...object, metadata: { name: 'after' }, spec: { ...object.spec, type: 'github', github: { clientId: 'rfo' } } });
    await next;
    assert.ok(reported());
    assert.equal(one.authProviders.get('odd'), undefined);
    assert.equal(await one.authProviders.find('odd'), undefined);
    assert.deepEqual(
      one.authProviders
        .list()
        .map(({ metadata }) => metadata.name)
        .sort(),
      ['after', 'sound'],
    );
    const mended = change(one.authProviders.onChange, (name, now) => name === 'odd' && now !== undefined);
    await client.patch(ref, { spec: { type: 'github', github: { clientId: 'rfo' } } });
    assert.equal((await mended)?.spec.type, 'github');
  });
});

describe('the audit log', () => {
  it('tells that it has grown, as long as somebody wants to know, and begins with what may have been missed', async () => {
    let told = Promise.withResolvers<void>();
    const heard = async (): Promise<void> => {
      await told.promise;
      told = Promise.withResolvers();
    };
    const end = one.auditSegments.onChange(() => told.resolve());
    await heard();
    const object = { apiVersion: managerApiVersion, kind: 'AuditSegment', metadata: { name: 'one-0' }, spec: segment };
    await client.create(object);
    await heard();
    const again = one.auditSegments.onChange(() => undefined);
    end();
    again();
    await client.delete({ ...object, name: 'one-0' });
    const next = one.auditSegments.onChange(() => told.resolve());
    await heard();
    next();
  });
});

const at = '2026-11-21T18:00:00Z';
const segment = { replica: 'one', sequence: 0, first: at, last: at, previous: '', hash: 'ab'.repeat(32), entries: '' };
const token = { user: 'u-ann', kind: 'api', hash: 'ab'.repeat(32), expiresAt: '2036-01-01T00:00:00Z', provider: 'local' } as const;

/** A client whose watches can be held back, as by a slow network, and that notes what is asked for by name. */
function stallable(real: KubeClient) {
  const asked: string[] = [];
  let open: Promise<void> = Promise.resolve();
  const late: KubeClient = {
    ...real,
    find: (ref, options) => {
      asked.push(ref.name);
      return real.find(ref, options);
    },
    watchOnce: async function* (kind, options) {
      for await (const event of real.watchOnce(kind, options)) {
        await open;
        yield event;
      }
    },
  };
  const stall = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    open = promise;
    return resolve;
  };
  return { client: late, asked, stall };
}

/** The API server takes up a changed definition a moment after it has confirmed it. */
async function created(object: Parameters<KubeClient['create']>[0]): Promise<void> {
  for (;;) {
    try {
      await client.create(object);
      return;
    } catch (error) {
      if (apiStatus(error)?.reason !== 'Invalid') throw error;
    }
  }
}
