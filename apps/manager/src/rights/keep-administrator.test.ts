import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, Life, retry } from '@rfo/foundation';
import { startTestCluster } from '@rfo/kube';
import { installCrds } from '../objects/install-crds.ts';
import { openObjects } from '../objects/open-objects.ts';
import type { Change } from './check-change.ts';
import { administratorsOf, keepAdministrator, watchAdministrators } from './keep-administrator.ts';
import { testBinding, testUser } from './rights.testing.ts';

const users = [
  testUser('root'),
  testUser('chief', { groups: ['chiefs'] }),
  testUser('asleep', { enabled: false, groups: ['chiefs', 'sleepers'] }),
  testUser('max'),
];
const refuses = (bindings: Parameters<typeof testBinding>[2], change: Change): void =>
  assert.throws(() => keepAdministrator({ users, bindings: [testBinding('admins', 'administrator', bindings)] }, change), {
    code: 'rights-last-administrator',
  });
const passes = (bindings: Parameters<typeof testBinding>[2], change: Change): void =>
  assert.doesNotThrow(() => keepAdministrator({ users, bindings: [testBinding('admins', 'administrator', bindings)] }, change));
const root = users[0];
const disabled = { kind: 'User', before: root, after: testUser('root', { enabled: false }) } as const;

describe('the last administrator', () => {
  it('cannot be disabled or deleted, whatever else is named', () => {
    for (const others of [[], ['group:nobody-is-in-it'], ['user:nobody'], ['user:asleep'], ['group:sleepers']]) {
      refuses(['user:root', ...others], disabled);
      refuses(['user:root', ...others], { kind: 'User', before: root });
    }
    passes(['user:root', 'user:max'], disabled);
    passes(['user:root', 'group:chiefs'], disabled);
  });

  it('cannot lose the group that makes it one', () => {
    const change = { kind: 'User', before: users[1], after: testUser('chief') } as const;
    refuses(['group:chiefs'], change);
    passes(['group:chiefs', 'user:max'], change);
  });

  it('cannot lose the role, nor to somebody who cannot use it', () => {
    const before = testBinding('admins', 'administrator', ['user:root']);
    const change = (...subjects: string[]): Change => ({
      kind: 'GlobalRoleBinding',
      before,
      after: testBinding('admins', 'administrator', subjects),
    });
    refuses(['user:root'], { kind: 'GlobalRoleBinding', before });
    refuses(['user:root'], change('user:asleep'));
    refuses(['user:root'], change('group:nobody-is-in-it'));
    passes(['user:root'], change('group:chiefs'));
  });

  it('does not stand in the way where there is none', () => {
    passes([], disabled);
    passes(['user:asleep'], { kind: 'User', before: users[3] });
    assert.deepEqual(administratorsOf({ users, bindings: [] }), []);
  });
});

it('who takes it away by kubectl is told of in the log, and so is its return', async () => {
  const cluster = await startTestCluster();
  const life = new Life();
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  try {
    await installCrds(cluster.client, { log, signal: life.signal });
    const objects = await openObjects({ client: cluster.client, life, log });
    watchAdministrators({ objects, life, log });
    const said = (words: RegExp): Promise<unknown> =>
      retry(
        async () =>
          assert.ok(
            lines.some((line) => words.test(line)),
            lines.join(''),
          ),
        { initial: 20, max: 200, signal: AbortSignal.timeout(90_000) },
      );
    await objects.globalRoleBindings.create({
      metadata: { name: 'admins' },
      spec: { role: 'administrator', subjects: [{ kind: 'User', name: 'root' }] },
    });
    await objects.users.create({ metadata: { name: 'root' }, spec: { username: 'root', enabled: true, identities: [] } });
    await objects.users.patch('root', { spec: { enabled: false } });
    await said(/error.*nobody has the role administrator any more/);
    await objects.users.patch('root', { spec: { enabled: true } });
    await said(/somebody has the role administrator again/);
  } finally {
    await life.end();
    await cluster.stop();
  }
});
