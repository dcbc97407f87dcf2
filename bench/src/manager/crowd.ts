/** Many clusters on one manager: what they cost it, and how soon all can be reached again when it was restarted. */
import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '@rfo/e2e';
import { type Life, retry, sleep } from '@rfo/foundation';
import { forkFor } from '../child.ts';
import { parseCpuTime } from '../start/usage.ts';
import { names, type Sample } from './figures.ts';
import type { ManagerBenchOptions } from './options.ts';
import { memoryOf } from './programs.ts';
import { type Account, applyImport, type Manager, register, type Stage } from './stage.ts';

/** Processes that the agents are spread over. */
const processes = 2;
/** Milliseconds for all to be there, and how long the manager is watched then. */
const connectWithin = 120_000;
const watchFor = 20_000;
const atOnce = 16;

/** The manager is restarted. */
export async function measureCrowd(stage: Stage, manager: Manager, { clusters }: ManagerBenchOptions): Promise<readonly Sample[]> {
  await using life = stage.life.child();
  const { members, settings, account } = await registerAll(stage, manager, clusters);
  console.log(`crowd: ${clusters} clusters are known`);
  const crowd = startCrowd({ members, settings, account }, life);
  await crowd.reachable(manager, performance.now());
  console.log('crowd: all are connected');
  const { program, at } = await manager.restart();
  const back = await crowd.reachable(manager, at);
  const { rss, cpu } = await watch(program.pid, life.signal);
  console.log(`crowd: while nobody asks the manager takes ${cpu.toFixed(0)} % of a core`);
  return [
    { what: names.crowdMemory, unit: 'MB', value: rss, floors: { 'without clusters': manager.alone } },
    { what: names.crowdBack, unit: 's', value: back.last, floors: { 'half of them': back.half, 'it serves': back.first } },
  ];
}

type Member = { readonly cluster: string; readonly token: string };

async function registerAll(
  stage: Stage,
  manager: Manager,
  count: number,
): Promise<{ readonly members: readonly Member[]; readonly settings: unknown; readonly account: Account }> {
  const all = Array.from({ length: count }, (_, index) => `crowd-${index}`);
  const [first = ''] = all;
  const { token, manifest } = await register(manager, first, { manifest: true });
  const members: Member[] = [{ cluster: first, token }];
  const rest = all.slice(1);
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let cluster = rest.pop(); cluster !== undefined; cluster = rest.pop())
        members.push({ cluster, token: (await register(manager, cluster, { manifest: false })).token });
    }),
  );
  return { members, settings: settingsIn(manifest), account: await applyImport(stage, manifest) };
}

/** Where the manager is, as every agent is told. */
function settingsIn(manifest: string): unknown {
  for (const document of manifest.split(/^---\n/m)) {
    const { kind, stringData } = JSON.parse(document || '{}') as { kind?: string; stringData?: Readonly<Record<string, string>> };
    if (kind === 'Secret') return JSON.parse(stringData?.['settings.json'] ?? 'null');
  }
  throw new Error('the manifest of an import has no Secret');
}

type Back = { readonly first: number; readonly half: number; readonly last: number };
type Crowd = {
  /**
   * Resolves when a request to each of the clusters was answered through the manager, with the seconds since `at` that it took until the first, half of
   * them and the last were.
   */
  readonly reachable: (manager: Manager, at: number) => Promise<Back>;
};

function startCrowd(
  input: { readonly members: readonly Member[]; readonly settings: unknown; readonly account: Account },
  life: Life,
): Crowd {
  const { members, settings, account } = input;
  const states = new EventEmitter().setMaxListeners(0);
  const connected = new Set<string>();
  const each = Math.ceil(members.length / processes);
  for (let from = 0; from < members.length; from += each) {
    const child = forkFor(join(repository, 'apps/cluster-agent/src/crowd.scene.ts'), life);
    child.on('message', ({ cluster, connected: now }: { readonly cluster: string; readonly connected: boolean }) => {
      if (now) connected.add(cluster);
      else connected.delete(cluster);
      states.emit('change');
    });
    child.once('exit', () => states.emit('error', new Error('a process of the crowd ended')));
    child.send({ agents: members.slice(from, from + each), settings, environment: account.env, folder: account.folder });
  }
  // Until somebody waits.
  states.on('error', () => undefined);
  return {
    reachable: async (manager, at) => {
      const signal = AbortSignal.any([life.signal, AbortSignal.timeout(connectWithin)]);
      const answered: number[] = [];
      const waiting = new Set(members.map(({ cluster }) => cluster));
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          for (;;) {
            const cluster = [...waiting].find((name) => connected.has(name));
            if (cluster === undefined) {
              if (waiting.size === 0) return;
              await once(states, 'change', { signal }).catch((error: unknown) => {
                throw new Error(`${waiting.size} clusters are away: ${[...waiting].slice(0, 3).join(', ')}`, { cause: error });
              });
              continue;
            }
            waiting.delete(cluster);
            await reach(manager, cluster, signal);
            answered.push((performance.now() - at) / 1000);
            // Who waits for the last one.
            if (waiting.size === 0) states.emit('change');
          }
        }),
      );
      answered.sort((a, b) => a - b);
      const nth = (index: number): number => answered[index] ?? Number.NaN;
      return { first: nth(0), half: nth(Math.floor(answered.length / 2)), last: nth(answered.length - 1) };
    },
  };
}

/** As somebody would who works there: an agent that has been taken in may be known to the door a moment later. */
async function reach({ call }: Manager, cluster: string, signal: AbortSignal): Promise<void> {
  const attempt = async (): Promise<void> => {
    const { status, text } = await call('GET', `/k8s/clusters/${cluster}/version`, { signal });
    if (status !== 200) throw new Error(`${cluster} is answered with ${status}: ${text}`);
  };
  await retry(attempt, { initial: 50, max: 500, signal });
}

/** The most memory (MB) that it has within the time, and the share of a core that it takes (%). */
async function watch(pid: number, signal: AbortSignal): Promise<{ readonly rss: number; readonly cpu: number }> {
  const cpuTime = async (): Promise<number> => parseCpuTime(await readFile(`/proc/${pid}/stat`, 'utf8'));
  const [before, begun] = [await cpuTime(), performance.now()];
  let most = 0;
  while (performance.now() - begun < watchFor) {
    most = Math.max(most, (await memoryOf(pid)).rss);
    await sleep(500, signal);
  }
  return { rss: most, cpu: (((await cpuTime()) - before) / ((performance.now() - begun) / 1000)) * 100 };
}
