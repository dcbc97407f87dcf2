import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { describe, it } from 'node:test';
import { fail, Life, type RfoError, silentLog } from '@rfo/foundation';
import { closedAddress, memoryLog, never, startTestSupervisor, TestServerFiles } from './join.testing.ts';
import { pinAuthority } from './pin-authority.ts';
import type { ServerAddress } from './server-address.ts';
import { waitForServers } from './wait-for-servers.ts';

const a: ServerAddress = { host: '192.0.2.1', port: 9345 };
const b: ServerAddress = { host: '192.0.2.2', port: 9345 };
const down = (problem = 'ECONNREFUSED'): RfoError => fail('server-unreachable', { server: 'https://192.0.2.1:9345', problem });
const unauthorized = (): RfoError =>
  fail('join-unauthorized', { server: 'https://192.0.2.1:9345', credential: 'the token', problem: 'unknown', cure: 'Give another' });
const foreign = (): RfoError => fail('authority-mismatch', { server: 'https://192.0.2.1:9345', found: 'aa', wanted: 'bb' });

/** Waits that take no time, under a clock that goes on by them. */
function testTime() {
  const waits: number[] = [];
  let now = 0;
  const wait = async (milliseconds: number): Promise<void> => {
    waits.push(milliseconds);
    now += milliseconds;
  };
  return { waits, wait, clock: { now: () => now } };
}

/** Throws one error after the other, then gives `joined`. */
function failing(errors: readonly RfoError[]) {
  const left = [...errors];
  return async (): Promise<string> => {
    const error = left.shift();
    if (error !== undefined) throw error;
    return 'joined';
  };
}

const common = { addresses: () => [a], giveUp: () => false, signal: never, log: silentLog };

describe('waiting for a server', () => {
  it('tries again at once when something has changed, and watches for that no longer', { timeout: 20_000 }, async () => {
    const watches: AbortSignal[] = [];
    const joined = await waitForServers({
      ...common,
      attempt: failing([unauthorized(), unauthorized()]),
      // The real time: 30 s each.
      untilChange: async (signal) => void watches.push(signal),
    });
    assert.equal(joined, 'joined');
    assert.deepEqual(
      watches.map(({ aborted }) => aborted),
      [true, true],
    );
  });

  it('joins through one that starts while it waits', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const address = await closedAddress();
    const { log, lines } = memoryLog();
    const pinning = waitForServers({
      ...common,
      addresses: () => [address],
      log,
      attempt: (server, signal) => pinAuthority({ address: server, token: files.token('agent'), known: undefined, signal, log }),
      wait: async () => {
        const server = createServer(files.serving, (_, response) => void response.end(files.ca)).listen(address.port, '127.0.0.1');
        await once(server, 'listening');
        life.defer(() => server.close());
      },
    });
    assert.equal(await pinning, files.ca);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /warn .*no server answers yet.*ECONNREFUSED/);
  });

  it('asks every server in turn, each once a round, and those that are learned meanwhile', async () => {
    const asked: string[] = [];
    const known = [a, { ...a }];
    const { wait } = testTime();
    await waitForServers({
      ...common,
      addresses: () => known,
      attempt: async ({ host }) => {
        asked.push(host);
        if (host === a.host) throw down();
      },
      wait: async (milliseconds) => {
        known.push(b);
        await wait(milliseconds);
      },
    });
    assert.deepEqual(asked, ['192.0.2.1', '192.0.2.1', '192.0.2.2']);
  });

  it('says once what is wrong, again when it becomes something else, and again after five minutes', async () => {
    const { log, lines } = memoryLog();
    const time = testTime();
    const errors = [
      ...Array.from({ length: 20 }, () => down()),
      ...Array.from({ length: 200 }, (_, at) => down(at % 2 === 0 ? 'EHOSTUNREACH' : 'ECONNREFUSED')),
    ];
    assert.equal(await waitForServers({ ...common, ...time, log, attempt: failing(errors) }), 'joined');
    const total = time.clock.now();
    assert.ok(total > 300_000 && total < 1_100_000, `${total} ms`);
    const problems = lines.map((line) => /EHOSTUNREACH|ECONNREFUSED/.exec(line)?.[0]);
    assert.deepEqual(problems.slice(0, 2), ['ECONNREFUSED', 'EHOSTUNREACH']);
    assert.ok(problems.length >= 3 && problems.length <= 2 + 2 * (total / 300_000), `${problems.length} lines in ${total} ms`);
  });

  it('waits at most five seconds, not always as long, while servers are only down', async () => {
    const { waits, ...time } = testTime();
    await waitForServers({ ...common, ...time, attempt: failing(Array.from({ length: 50 }, () => down())) });
    assert.ok(Math.max(...waits) <= 5_000 && Math.max(...waits) > 2_500);
    assert.ok(new Set(waits.slice(10)).size > 30);
  });

  for (const [what, error] of [
    ['a token that is not accepted', unauthorized()],
    ['a CA that is another one', foreign()],
  ] as const) {
    it(`reports ${what} once as an error and tries again every 30 s`, async () => {
      const { log, lines } = memoryLog();
      const { waits, ...time } = testTime();
      assert.equal(await waitForServers({ ...common, ...time, log, attempt: failing([error, error, error]) }), 'joined');
      assert.deepEqual(waits, [30_000, 30_000, 30_000]);
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? '', /error .*no server lets this node join/);
      assert.ok(lines[0]?.includes(error.cure));
    });
  }

  it('tries soon again where one server is foreign and another only down', async () => {
    const { waits, ...time } = testTime();
    await waitForServers({ ...common, ...time, addresses: () => [a, b], attempt: failing([foreign(), down()]) });
    assert.ok((waits[0] ?? Number.NaN) <= 250);
  });

  it('gives up where the caller says so, and not for what only needs time', async () => {
    const seen: string[] = [];
    const giveUp = ({ code }: RfoError): boolean => {
      seen.push(code);
      return code === 'join-unauthorized';
    };
    const waiting = waitForServers({ ...common, ...testTime(), giveUp, attempt: failing([down(), foreign(), unauthorized()]) });
    await assert.rejects(waiting, { code: 'join-unauthorized' });
    assert.deepEqual(seen, ['authority-mismatch', 'join-unauthorized']);
  });

  it('does not wait on a defect', async () => {
    const attempt = (): Promise<never> => Promise.reject(new TypeError('defect'));
    await assert.rejects(waitForServers({ ...common, ...testTime(), attempt }), { message: 'defect' });
  });

  it('ends with its signal, in an attempt and between two', async () => {
    await using life = new Life();
    const { address, files } = await startTestSupervisor(life);
    const inAttempt = new AbortController();
    const attempt = (server: ServerAddress, signal: AbortSignal): Promise<string> => {
      inAttempt.abort(new Error('over'));
      return pinAuthority({ address: server, token: files.token('agent'), known: undefined, signal, log: silentLog });
    };
    await assert.rejects(waitForServers({ ...common, addresses: () => [address], attempt, signal: inAttempt.signal }), { message: 'over' });
    const between = new AbortController();
    const waiting = waitForServers({
      ...common,
      signal: between.signal,
      attempt: async () => {
        setImmediate(() => between.abort(new Error('over')));
        throw unauthorized();
      },
    });
    await assert.rejects(waiting, { message: 'over' });
  });
});
