import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '@rfo/foundation';
import { startTestServer } from './nodes.testing.ts';

const all = (): boolean => true;

describe('the registry of tunnels', () => {
  it('serves by the newest living tunnel of a node and falls back to an older one', async (t) => {
    const { tunnels, keep } = await startTestServer(t);
    const older = await keep('agent-1', all);
    const first = tunnels.newest('agent-1');
    const newer = await keep('agent-1', all);
    const second = tunnels.newest('agent-1');
    assert.notEqual(second, first);
    assert.deepEqual(tunnels.metric().samples, [{ labels: { node: 'agent-1' }, value: 2 }]);
    await newer.end();
    await second?.closed;
    assert.equal(tunnels.newest('agent-1'), first);
    await older.end();
    await first?.closed;
    assert.equal(tunnels.newest('agent-1'), undefined);
    assert.deepEqual(tunnels.metric().samples, []);
  });

  it('tells once that a node came and once that it went, however many tunnels it had', async (t) => {
    const lines: string[] = [];
    const log = createLog({ write: (line) => void lines.push(line.replace(/^\S+ (\w+) .*?: (.*)\n$/, '$1 $2')) });
    const { tunnels, keep } = await startTestServer(t, { log });
    const lives = [await keep('agent-1', all), await keep('agent-1', all)];
    const both = [tunnels.newest('agent-1')];
    await lives[1]?.end();
    await both[0]?.closed;
    both.push(tunnels.newest('agent-1'));
    await lives[0]?.end();
    await both[1]?.closed;
    assert.deepEqual(lines, [
      'info node agent-1 has opened a tunnel node=agent-1',
      'warn node agent-1 has lost its tunnel: it is dialled directly until it is back node=agent-1',
    ]);
  });

  it('gives the next tunnel to who waits for it, and expects only a node that was there lately', async (t) => {
    const { tunnels, keep } = await startTestServer(t, { returnWithin: 0 });
    const next = tunnels.next('agent-1', t.signal);
    assert.equal(tunnels.isExpected('agent-1'), false);
    const life = await keep('agent-1', all);
    assert.equal(await next, tunnels.newest('agent-1'));
    assert.equal(await tunnels.next('agent-1', t.signal), await next);
    await life.end();
    await (await next).closed;
    await assert.rejects(tunnels.next('agent-1', AbortSignal.abort(new Error('no longer'))), /no longer/);
  });

  it('expects nodes for a while after its own start and after they were lost', async (t) => {
    const { tunnels } = await startTestServer(t, { returnWithin: 60_000 });
    assert.equal(tunnels.isExpected('agent-1'), true);
  });

  it('closes every tunnel at its end and takes no more', async (t) => {
    const { tunnels, keep, life } = await startTestServer(t);
    await keep('agent-1', all);
    const tunnel = tunnels.newest('agent-1');
    assert.ok(tunnel);
    const ended = life.end();
    await tunnel.closed;
    await ended;
    await assert.rejects(tunnel.connect({ host: '127.0.0.1', port: 1 }), { code: 'tunnel-closed' });
  });
});
