/** What a warm-up run of `rfo` leaves for the sides by hand: certificates, kubeconfigs and rendered files, and how it ran each process. */
import { cp, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Host } from '@rfo/e2e';
import { deployment } from './marks.ts';
import { node, ownOfOneRun } from './node-paths.ts';
import { onMachine } from './on-machine.ts';

export type ReadyFiles = {
  /** A copy of the data folder. */
  readonly folder: string;
  readonly argv: ReadonlyMap<string, readonly string[]>;
  readonly conflist: string;
  /** How many pods there are when everything runs. */
  readonly pods: number;
};

/** Takes them from a host on which `rfo` runs and everything is up. @param folder where the copy goes */
export async function takeReadyFiles(host: Host, folder: string): Promise<ReadyFiles> {
  const data = onMachine(host, node.data);
  const left = new Set<string>([...ownOfOneRun, relative(node.data, node.cniConfig)]);
  const filter = (path: string): boolean => !left.has(relative(data, path)) && !path.endsWith('.sock') && !path.endsWith('.tmp');
  const [argv, conflist] = await Promise.all([readArguments(host), readFile(onMachine(host, node.cniConfig), 'utf8')]);
  await cp(data, folder, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, filter });
  return { folder, argv, conflist, pods: deployment.replicas + (await countDeployments(onMachine(host, node.manifests))) };
}

/** Puts the copy onto a fresh host. */
export async function putReadyFiles(host: Host, { folder }: ReadyFiles): Promise<void> {
  await cp(folder, onMachine(host, node.data), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}

/** The arguments of each process that `rfo` started, the program first, from its records. */
async function readArguments(host: Host): Promise<ReadonlyMap<string, readonly string[]>> {
  const records = `/proc/${host.init()}/root${node.records}`;
  const names = (await readdir(records)).filter((name) => name.endsWith('.json'));
  const entries = await Promise.all(
    names.map(async (name) => {
      const record = JSON.parse(await readFile(join(records, name), 'utf8')) as { name: string; argv: readonly string[] };
      return [record.name, record.argv] as const;
    }),
  );
  return new Map(entries);
}

/** Every add-on has one pod for each Deployment in the folder of manifests. */
async function countDeployments(folder: string): Promise<number> {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map(({ name }) => readFile(join(folder, name), 'utf8')));
  return texts.join('\n').match(/^kind: ["']?Deployment["']?$|"kind": ?"Deployment"/gm)?.length ?? 0;
}
