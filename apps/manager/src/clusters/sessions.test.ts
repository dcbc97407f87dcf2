import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { silentLog } from '@rfo/foundation';
import { createSessions, type Session } from './sessions.ts';

const sessionTo = (cluster: string, more: Partial<Session> = {}): Session => ({
  ...{ cluster, via: 'deployment', version: '1', since: 0, apiServer: 'https://10.0.0.1:6443' },
  credentials: () => ({ ca: '' }),
  settings: () => undefined,
  open: async () => new PassThrough(),
  end: () => undefined,
  ...more,
});
const start = () => createSessions({ now: () => 0, log: silentLog });
const signal = AbortSignal.timeout(60_000);

test('a cluster that nobody has heard of, or that another replica asks for, is away at once', async () => {
  const sessions = start();
  await assert.rejects(sessions.open('edge', { signal }), { code: 'cluster-away' });
  sessions.add(sessionTo('edge'))({ reason: 'Disconnected', message: 'its agent is gone' });
  await assert.rejects(sessions.open('edge', { own: true, signal }), { code: 'cluster-away', message: /its agent is gone/ });
});

test('a request to a cluster whose agent has just lost its connection goes on when it has another one', async () => {
  const sessions = start();
  sessions.add(sessionTo('edge'))();
  const opening = sessions.open('edge', { signal });
  sessions.add(sessionTo('other'));
  const session = sessionTo('edge');
  sessions.add(session);
  assert.equal((await opening).session, session);
});

test('so does one whose only session breaks while it is asked', async () => {
  const sessions = start();
  const leave = sessions.add(
    sessionTo('edge', {
      open: async () => {
        leave();
        throw new Error('it broke');
      },
    }),
  );
  const opening = sessions.open('edge', { signal });
  const session = sessionTo('edge', { replica: 'two' });
  setImmediate(() => sessions.add(session));
  assert.equal((await opening).session, session);
});

test('who does not want to wait for it any more need not', async () => {
  const sessions = start();
  sessions.add(sessionTo('edge'))();
  const patience = new AbortController();
  const opening = sessions.open('edge', { signal: patience.signal });
  patience.abort(new Error('enough'));
  await assert.rejects(opening, /enough/);
});

/** One that is asked and never answers: its other end has lost power. */
function silentSession() {
  const asked = Promise.withResolvers<void>();
  const open: Session['open'] = (aborted) =>
    new Promise((_, reject) => {
      asked.resolve();
      aborted.addEventListener('abort', () => reject(aborted.reason), { once: true });
    });
  return { session: sessionTo('edge', { replica: 'dead', open }), asked: asked.promise };
}

test('a request by a session that has fallen silent goes on by one that comes, and need not wait until the silent one is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sessions = start();
  const { session: silent, asked } = silentSession();
  const leave = sessions.add(silent);
  const opening = sessions.open('edge', { signal });
  await asked;
  t.mock.timers.tick(3000);
  const session = sessionTo('edge', { replica: 'two' });
  sessions.add(session);
  assert.equal((await opening).session, session);
  leave();
});

test('so does one whose session is given up after another has come', async () => {
  const sessions = start();
  const broken = Promise.withResolvers<never>();
  const asked = Promise.withResolvers<void>();
  const open = (): Promise<never> => {
    asked.resolve();
    return broken.promise;
  };
  const leave = sessions.add(sessionTo('edge', { open }));
  const opening = sessions.open('edge', { signal });
  await asked.promise;
  const session = sessionTo('edge');
  sessions.add(session);
  leave();
  broken.reject(new Error('it was silent for 10 s'));
  assert.equal((await opening).session, session);
});
