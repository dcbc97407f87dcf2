/** Starts one side on a host. */
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Host, lastLines, type Service } from '@rfo/e2e';
import { fail } from '@rfo/foundation';
import type { HandSide } from './figures.ts';
import { handPlan } from './hand-plan.ts';
import { node } from './node-paths.ts';
import { onMachine } from './on-machine.ts';
import { putReadyFiles, type ReadyFiles } from './ready-files.ts';

/** What all sides are made of. */
export type Parts = {
  /** The bundled node program, and a Node of its own: one shared with the benchmark would share its memory too. */
  readonly program: string;
  readonly node: string;
  /** Folder of the bundle's binaries, images and manifests. */
  readonly bundle: string;
  /** Folder of the archives of test images. */
  readonly testImages: string;
  /** Folder of upstream's separate binaries; undefined when that side is left out. */
  readonly separate: string | undefined;
};

export type Started = {
  /** Milliseconds since 1970. */
  readonly start: number;
  /** Rejects when the side ends although it should run, with the end of what it said. */
  readonly broken: Promise<never>;
  /** What it tells itself of its start. */
  readonly steps: () => Promise<readonly { readonly label: string; readonly at: number }[]>;
  readonly ownTable: () => Promise<readonly string[]>;
};

/** Brings a fresh host to where the clock starts. @param ready of the warm-up run; undefined for `rfo`, which makes everything itself */
export async function prepareSide(host: Host, parts: Parts, ready: ReadyFiles | undefined): Promise<void> {
  if (ready !== undefined) return await putReadyFiles(host, ready);
  const images = onMachine(host, node.images);
  await mkdir(images, { recursive: true });
  for (const file of await filesOf(parts.testImages, parts.testImages, '.tar')) await copyFile(file, join(images, basename(file)));
  // So that no configuration of the checkout is found.
  await host.writeFile('/etc/rancher/rfo/config.yaml', '{}\n', '0600');
}

/** Starts `rfo server`; its clock starts before its own program is loaded. */
export async function startRfo(host: Host, parts: Parts, name: string, signal: AbortSignal): Promise<Started> {
  const script = 'date +%s%3N; exec "$@"';
  const command = ['sh', '-c', script, 'sh', parts.node, parts.program, 'server'];
  const service = await host.spawn(name, command);
  return {
    start: Number(await firstLine(service, signal)),
    broken: service.exited.then((code) => brokenSide('rfo server', code, service.logFile)),
    steps: async () => [],
    ownTable: async () => {
      const lines = (await readFile(service.logFile, 'utf8')).split('\n');
      const at = lines.findIndex((line) => line.includes('the node is ready'));
      return at < 0 ? [] : lines.slice(at).filter((line) => line !== '');
    },
  };
}

export type HandOptions = {
  readonly side: HandSide;
  readonly name: string;
  readonly first: boolean;
  readonly ready: ReadyFiles;
};

/** Starts the careful hand; its clock starts with the first process that it starts. */
export async function startHand(host: Host, parts: Parts, options: HandOptions & { readonly signal: AbortSignal }): Promise<Started> {
  const { side, name, first, ready, signal } = options;
  const { argv, conflist } = ready;
  const inBundle = join(parts.bundle, 'images');
  const archives = [...(await filesOf(inBundle, inBundle, '.tar')), ...(await filesOf(onMachine(host, node.images), node.images, '.tar'))];
  const manifests = await filesOf(onMachine(host, node.manifests), node.manifests, '.yaml');
  const plan = handPlan({
    argv,
    separate: side === 'separate' ? parts.separate : undefined,
    tuned: side === 'tuned',
    nodeName: host.name,
    conflist,
    first: first ? { archives, manifests } : undefined,
  });
  const planFile = '/etc/rfo-bench-plan.json';
  await host.writeFile(planFile, JSON.stringify(plan), '0600');
  const service = await host.spawn(name, [process.execPath, join(import.meta.dirname, 'hand.ts'), planFile]);
  const steps = async (): Promise<{ label: string; at: number }[]> =>
    (await readFile(service.logFile, 'utf8'))
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { label: string; at: number });
  await firstLine(service, signal);
  return {
    start: (await steps())[0]?.at ?? Number.NaN,
    broken: service.exited.then((code) =>
      code === 0 ? new Promise<never>(() => undefined) : brokenSide(`the side ${side}`, code, service.logFile),
    ),
    steps,
    ownTable: async () => [],
  };
}

async function brokenSide(name: string, code: number, log: string): Promise<never> {
  const output = `:\n${lastLines(await readFile(log, 'utf8'), 30)}`;
  throw fail('process-failed', { name, status: `exit code ${code}`, output, log });
}

async function firstLine(service: Service, signal: AbortSignal): Promise<string> {
  for await (const line of service.lines(signal)) return line;
  return await brokenSide('the start', await service.exited, service.logFile);
}

/** The files of a kind in a folder. @param as how the host calls the folder */
async function filesOf(folder: string, as: string, ending: string): Promise<readonly string[]> {
  return (await readdir(folder))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(as, name));
}
