/** Measures tunnels, one round after the other, as a process of its own: what its Node was told counts for both ends, as the far one is started by it. */
import { Life } from '@rfo/foundation';
import { serveLoads } from '../load-process.ts';
import { type Ends, startEnds } from '../tunnel/ends.ts';
import { measureTransport, type Transport } from '../tunnel/measure.ts';

export type Wish = { readonly seconds: number };
export type Round = { readonly straight: Transport; readonly websocket: Transport };

const life = new Life();
let ends: Promise<Ends> | undefined;

serveLoads(async ({ seconds }: Wish): Promise<Round> => {
  ends ??= startEnds(life);
  const { inProcess, websocket } = await ends;
  const run = { ms: seconds * 1000, signal: life.signal };
  return { straight: await measureTransport(inProcess, run), websocket: await measureTransport(websocket, run) };
});
