/** What the tunnel between an agent and the manager carries, straight on TLS and in a WebSocket, and how fast it answers meanwhile. */
import type { Life } from '@rfo/foundation';
import { startLoad } from '../load.ts';
import type { Transport } from '../tunnel/measure.ts';
import { names, type Sample } from './figures.ts';
import type { ManagerBenchOptions } from './options.ts';
import { flagsOf } from './programs.ts';
import type { Round, Wish } from './tunnel-ends.ts';

/** Nothing of it runs on when what comes after it is measured. */
export async function measureTunnel({ rounds, seconds }: ManagerBenchOptions, life: Life): Promise<readonly Sample[]> {
  await using own = life.child();
  const measure = startLoad<Wish, Round>(new URL('./tunnel-ends.ts', import.meta.url), own, flagsOf('cluster-agent'));
  const samples: Sample[] = [];
  for (let round = 0; round <= rounds; round++) {
    const { straight, websocket } = await measure({ seconds });
    const inWebsocket = { down: names.websocketDown, up: names.websocketUp, beside: names.websocketBeside };
    if (round > 0) samples.push(...describe(straight, names), ...describe(websocket, inWebsocket));
    console.log(round === 0 ? 'tunnel: warm-up is over' : `tunnel: round ${round}/${rounds} is over`);
  }
  return samples;
}

function describe(
  { down, up, idle, beside }: Transport,
  own: { readonly down: string; readonly up: string; readonly beside: string },
): readonly Sample[] {
  return [
    { what: own.down, unit: 'MB/s', value: down },
    { what: own.up, unit: 'MB/s', value: up },
    { what: own.beside, unit: '×', value: beside / idle, floors: { 'idle ms': idle, 'beside ms': beside } },
  ];
}
