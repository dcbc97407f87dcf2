/** What the door adds to a request, beside the API server itself and beside `kubectl proxy`, all with the same rights. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '@rfo/e2e';
import { startLoad } from '../load.ts';
import { credentialsOf, makeAuthority } from '../tunnel/ends.ts';
import type { Hop } from './bare-hops.ts';
import type { Load, Measured } from './door-load.ts';
import { names, type Sample } from './figures.ts';
import type { ManagerBenchOptions } from './options.ts';
import { flagsOf, type Program, processorTime, run } from './programs.ts';
import { type Account, type Manager, renderKubeconfig, type Stage } from './stage.ts';

/** Milliseconds: a client that sends later than this does not send at the rate that it tells. */
const mostLate = 5;

/** @param options.cluster that the manager knows by this name, and whose API server is that of the stage */
export async function measureDoor(options: {
  readonly stage: Stage;
  readonly manager: Manager;
  readonly agent: Program;
  readonly account: Account;
  readonly cluster: string;
  readonly bench: ManagerBenchOptions;
}): Promise<readonly Sample[]> {
  const { stage, manager, agent, account, cluster, bench } = options;
  const { client } = stage.cluster;
  const metadata = { name: 'bench', namespace: 'default' };
  await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text: 'x'.repeat(1024) } } as never);
  const path = '/api/v1/namespaces/default/configmaps/bench';
  const proxy = await startKubectlProxy(stage, account);
  const asUser = ['Impersonate-User: rfo:bench', 'Impersonate-Group: system:masters', 'Impersonate-Extra-rfo.io%2Fusername: bench'];
  const common = { expect: '"kind":"ConfigMap"', rate: bench.rate, milliseconds: bench.seconds * 1000 };
  const { port, ca } = stage.api;
  const bearer = `Authorization: Bearer ${account.token}`;
  const bare = await startBareHops(stage);
  const sides = {
    direct: { ...common, port, ca, request: render(path, [bearer]) },
    impersonating: { ...common, port, ca, request: render(path, [bearer, ...asUser]) },
    proxy: { ...common, port: proxy, ca: undefined, request: render(path, []) },
    bare: { ...common, ...bare, request: render(path, [bearer]) },
    door: {
      ...{ ...common, port: manager.port, ca: manager.ca },
      request: render(`/k8s/clusters/${cluster}${path}`, [`Authorization: Bearer ${manager.credential}`]),
    },
  } as const satisfies Record<string, Load>;

  const samples: Sample[] = [];
  const load = startLoad<Load, Measured>(new URL('./door-load.ts', import.meta.url), stage.life);
  const order = Object.keys(sides) as (keyof typeof sides)[];
  const times = async () => ({ manager: await processorTime(manager.program.pid), agent: await processorTime(agent.pid) });
  for (let round = 0; round <= bench.rounds; round++) {
    const found = {} as Record<keyof typeof sides, Measured>;
    let taken = { manager: 0, agent: 0 };
    // What comes second finds a warmer, or a hotter, machine.
    for (const side of round % 2 === 0 ? order : order.toReversed()) {
      const before = await times();
      found[side] = await load(sides[side]);
      const after = await times();
      const { requests } = found[side];
      if (side === 'door') taken = { manager: (after.manager - before.manager) / requests, agent: (after.agent - before.agent) / requests };
    }
    if (round > 0) samples.push(...describe(found, taken));
    console.log(round === 0 ? 'door: warm-up is over' : `door: round ${round}/${bench.rounds} is over`);
  }
  return samples;
}

type Found = Readonly<Record<'direct' | 'impersonating' | 'proxy' | 'bare' | 'door', Measured>>;

/** @param taken milliseconds of processor time for each request to the door */
function describe(
  { direct, impersonating, proxy, bare, door }: Found,
  taken: { readonly manager: number; readonly agent: number },
): readonly Sample[] {
  const sides = [direct, impersonating, proxy, bare, door];
  const late = Math.max(...sides.map((each) => each.late));
  const unsent = Math.max(...sides.map((each) => each.unsent));
  const doubt = unsent > 0 ? `${unsent} requests had to wait` : late > mostLate ? `the client sent ${late.toFixed(0)} ms late` : undefined;
  const sample = (what: string, at: 'p50' | 'p99'): Sample => ({
    ...{ what, unit: 'ms', value: door[at] - direct[at], doubt },
    floors: {
      'direct TLS': direct[at],
      'impersonation adds': impersonating[at] - direct[at],
      'kubectl proxy adds': proxy[at] - direct[at],
      'two bare Nodes add': bare[at] - direct[at],
    },
  });
  const processor = { what: 'door: processor time of the manager for a request', unit: 'ms', value: taken.manager } as const;
  return [sample(names.doorP50, 'p50'), sample(names.doorP99, 'p99'), { ...processor, floors: { 'of the agent': taken.agent } }];
}

/** Two Nodes on the way to the API server, told of their memory what the images tell. */
async function startBareHops({ api, life }: Stage): Promise<{ readonly port: number; readonly ca: string }> {
  const start = (hop: Hop): Promise<number> =>
    startLoad<Hop, number>(new URL('./bare-hops.ts', import.meta.url), life, flagsOf('manager'))(hop);
  const { ca, cert, key } = credentialsOf(makeAuthority(), 'bench', [{ type: 'ip', value: '127.0.0.1' }]);
  const relay = await start({ role: 'relay', port: api.port });
  return { port: await start({ role: 'reader', cert, key, port: relay, ca: api.ca }), ca };
}

function render(path: string, headers: readonly string[]): string {
  const lines = ['Host: 127.0.0.1', 'User-Agent: bench', 'Accept: application/json', ...headers];
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

async function startKubectlProxy({ cluster, folder, life }: Stage, { token }: Account): Promise<number> {
  const file = join(folder, 'proxy.json');
  await writeFile(file, renderKubeconfig(cluster, token));
  const kubectl = join(repository, '.cache/dist/bin/kubectl');
  const proxy = run([kubectl, `--kubeconfig=${file}`, 'proxy', '--port=0', '--address=127.0.0.1'], {}, life);
  const [, port] = await proxy.said(/Starting to serve on 127\.0\.0\.1:(\d+)/);
  return Number(port);
}
