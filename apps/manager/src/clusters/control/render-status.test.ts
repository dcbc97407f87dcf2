import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseReadyz } from './check-health.ts';
import { sumQuantities } from './quantity.ts';
import { renderStatus, type StatusInput } from './render-status.ts';

const now = Date.parse('2026-11-21T10:00:00Z');
const health = { kubernetesVersion: 'v1.36.3', components: [{ name: 'kube-apiserver', healthy: true }] };
const here: StatusInput = {
  state: { connected: true, sessions: 2, via: 'deployment', version: '0.1.0', since: now, apiServer: 'https://10.43.0.1:443' },
  ...{ health, caBundle: 'PEM', settled: true, before: undefined, now },
};
const gone = (problem?: { reason: string; message: string; at: number }) =>
  ({ connected: false, sessions: 0, ...(problem && { problem }) }) as const;

/** What the API server makes of a status and a patch. */
function patched<T extends object>(before: T | undefined, patch: Partial<T> | undefined): T {
  const merge = (old: unknown, next: unknown): unknown => {
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return next;
    const from = typeof old === 'object' && old !== null ? { ...old } : {};
    for (const [key, value] of Object.entries(next)) {
      if (value === null) delete (from as Record<string, unknown>)[key];
      else (from as Record<string, unknown>)[key] = merge((from as Record<string, unknown>)[key], value);
    }
    return from;
  };
  return merge(before, patch ?? {}) as T;
}
type Status = NonNullable<StatusInput['before']>;
const after = (input: StatusInput): Status => patched(input.before, renderStatus(input)) as Status;

it('a cluster that is well is Active, and nothing is written again before a minute is over', () => {
  const before = after(here);
  assert.equal(before.phase, 'Active');
  assert.deepEqual(
    before.conditions.map(({ type, status }) => `${type}=${status}`),
    ['Connected=True', 'Ready=True', 'AgentSettled=True'],
  );
  assert.equal(renderStatus({ ...here, before, now: now + 59_000 }), undefined);
  assert.equal(renderStatus({ ...here, before, now: now + 60_000 })?.agent?.lastSeen, '2026-11-21T10:01:00.000Z');
});

it('what changes is written at once, and a condition keeps its time while its status is the same', () => {
  const before = after(here);
  const ill = {
    ...health,
    components: [
      { name: 'kube-apiserver', healthy: true },
      { name: 'etcd', healthy: false, message: 'failed' },
    ],
  };
  const status = after({ ...here, before, health: ill, now: now + 1000 });
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  assert.deepEqual(
    [ready?.status, ready?.reason, ready?.message, ready?.lastTransitionTime],
    ['False', 'ComponentsUnhealthy', 'etcd: failed', '2026-11-21T10:00:01.000Z'],
  );
  assert.equal(status.conditions.find(({ type }) => type === 'Connected')?.lastTransitionTime, '2026-11-21T10:00:00.000Z');
});

it('a cluster that went away says when, why, and what it was', () => {
  const before = after(here);
  const problem = { reason: 'Disconnected', message: 'the connection to its last agent ended', at: now + 5000 };
  const away = after({ ...here, before, state: gone(problem), health: undefined, now: now + 6000 });
  assert.deepEqual([away.phase, away.kubernetesVersion, away.apiServer], ['Away', 'v1.36.3', 'https://10.43.0.1:443']);
  assert.deepEqual(
    [away.agent?.since, away.agent?.lastSeen, away.agent?.reason],
    ['2026-11-21T10:00:05.000Z', '2026-11-21T10:00:05.000Z', 'Disconnected'],
  );
  assert.equal(renderStatus({ ...here, before: away, state: gone(problem), health: undefined, now: now + 600_000 }), undefined);
  const back = after({ ...here, before: away, now: now + 700_000 });
  assert.deepEqual([back.phase, back.agent?.reason, back.agent?.message], ['Active', undefined, undefined]);
});

it('a cluster that never connected is Pending, whatever kept its agents away', () => {
  const pending = after({ ...here, state: gone(), health: undefined });
  assert.deepEqual([pending.phase, pending.agent?.reason], ['Pending', 'NeverConnected']);
  const refused = after({ ...here, before: pending, state: gone({ reason: 'TokenRefused', message: 'no', at: now }), health: undefined });
  assert.deepEqual([refused.phase, refused.agent?.reason], ['Pending', 'TokenRefused']);
});

it('an API server that cannot be asked through a session that stands makes the cluster unready, with what is wrong', () => {
  const status = after({ ...here, health: new Error('no answer') });
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  assert.deepEqual([status.phase, ready?.status, ready?.reason, ready?.message], ['Active', 'False', 'ApiServerUnreachable', 'no answer']);
});

it('conditions of others stay', () => {
  const foreign = {
    type: 'RightsInSync',
    status: 'True',
    reason: 'Done',
    message: '',
    lastTransitionTime: '2026-11-21T09:00:00Z',
  } as const;
  const status = after({ ...here, before: { phase: 'Active', conditions: [foreign], components: [] } as unknown as Status });
  assert.ok(status.conditions.some(({ type }) => type === 'RightsInSync'));
});

it('the lines of readyz become the API server and its etcd', () => {
  const well = '[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]etcd-readiness ok\n[+]poststarthook/x ok\nreadyz check passed\n';
  assert.deepEqual(parseReadyz({ status: 200, text: well }), [
    { name: 'kube-apiserver', healthy: true },
    { name: 'etcd', healthy: true },
  ]);
  const ill = well
    .replace('[+]etcd ok', '[-]etcd failed: reason withheld')
    .replace('[+]poststarthook/x ok', '[-]poststarthook/x failed: not finished');
  assert.deepEqual(parseReadyz({ status: 500, text: ill }), [
    { name: 'kube-apiserver', healthy: false, message: 'poststarthook/x: failed: not finished' },
    { name: 'etcd', healthy: false, message: 'failed: reason withheld' },
  ]);
  assert.deepEqual(parseReadyz({ status: 403, text: 'forbidden' }), [
    { name: 'kube-apiserver', healthy: false, message: '/readyz answers 403' },
  ]);
});

it('quantities are added up whatever they are written in', () => {
  const sum = sumQuantities([
    { cpu: '2', memory: '8Gi', pods: '110', odd: 'many' },
    { cpu: '1500m', memory: '1024Ki', pods: '110' },
    { cpu: '0.5', memory: '1e3' },
  ]);
  assert.deepEqual(sum, { cpu: '4', memory: String(8 * 1024 ** 3 + 1024 ** 2 + 1000), pods: '220' });
  assert.deepEqual(sumQuantities([{ cpu: '250m' }, { cpu: '100u' }]), { cpu: '251m' });
});
