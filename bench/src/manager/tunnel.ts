/** What the tunnel between an agent and the manager carries, straight on TLS and in a WebSocket, and how fast it answers meanwhile. */
import { Life } from '@rfo/foundation';
import { startEnds } from '../tunnel/ends.ts';
import { measureTransport, type Transport } from '../tunnel/measure.ts';
import { names, type Sample } from './figures.ts';
import type { ManagerBenchOptions } from './options.ts';

export async function measureTunnel({ rounds, seconds }: ManagerBenchOptions, signal: AbortSignal): Promise<readonly Sample[]> {
  await using life = new Life();
  const { inProcess, websocket } = await startEnds(life);
  const samples: Sample[] = [];
  const run = { ms: seconds * 1000, signal };
  for (let round = 0; round <= rounds; round++) {
    const straight = describe(await measureTransport(inProcess, run), { ...names });
    const inWebsocket = describe(await measureTransport(websocket, run), {
      ...{ down: names.websocketDown, up: names.websocketUp, beside: names.websocketBeside },
    });
    if (round > 0) samples.push(...straight, ...inWebsocket);
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
