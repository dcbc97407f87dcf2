/** The certificate authority and the seed server of a scenario, on the host of the control plane. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataDir, type Node, rfoCommand, untilLine } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { commandFailed, must, repository, type Service } from '../../lab/index.ts';

export const seedFolder = `${dataDir}/seed`;
/** Of this machine, as archives are named. */
export const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
export const caPorts = { api: 8888, seed: 8890 } as const;

/** Makes a CA there and serves it, with the folder of the seed server. */
export async function serveAuthority({ life }: ScenarioContext, node: Node): Promise<Service> {
  const { host } = node;
  await succeeds(node, ['ca', 'init', '--host', host.ip]);
  await host.must(['mkdir', '-p', `${seedFolder}/files`]);
  return await startAuthority(node, life.signal);
}

/** Again, or for the first time. */
async function startAuthority({ host }: Node, signal: AbortSignal): Promise<Service> {
  const service = await host.spawn('rfo-ca', [...rfoCommand, 'ca', 'serve', '--address', '0.0.0.0', '--seed', seedFolder]);
  await untilLine(service, /SIGHUP reads keys/, { signal, within: 60_000 });
  return service;
}

/** Runs `rfo` there; gives its output. */
export async function succeeds(node: Node, args: readonly string[]): Promise<string> {
  const result = await node.rfo(args, { timeout: 60_000 });
  if (result.code !== 0) throw commandFailed(['rfo', ...args], result);
  return result.stdout;
}

/**
 * Packs an archive of programs and puts it where the seed server has it.
 * @param files by their paths below /usr/local; a text that begins with `/` is the target of a link into the shared checkout
 * @returns what `--program` takes
 */
export async function publishPrograms({ host }: Node, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(host.dir, `programs-${name}`);
  const put = 'mkdir -p "$(dirname "$1")"; case $2 in /*) ln -s "$2" "$1" ;; *) printf %s "$2" >"$1"; chmod "$3" "$1" ;; esac';
  for (const [path, content] of Object.entries(files)) {
    const mode = path.startsWith('bin/') ? '755' : '644';
    await must(['sh', '-ec', put, 'sh', join(folder, path), content, mode]);
  }
  const archive = join(host.dir, `${name}.tar.gz`);
  await must([
    'tar',
    '--owner=0',
    '--group=0',
    '-czf',
    archive,
    '-C',
    folder,
    ...new Set(Object.keys(files).map((path) => path.split('/')[0] ?? '')),
  ]);
  const content = await readFile(archive);
  await host.writeFile(`${seedFolder}/files/${name}.tar.gz`, content);
  const sum = createHash('sha256').update(content).digest('hex');
  return `${architecture}=http://${host.ip}:${caPorts.seed}/files/${name}.tar.gz#sha256:${sum}`;
}

/** An installation of RFO: the program of this checkout, which every host of the lab sees at its place. By paths below /usr/local. */
export async function rfoInstallation(): Promise<Readonly<Record<string, string>>> {
  const words = rfoCommand.map((word) => `'${word}'`).join(' ');
  const script = `#!/bin/sh\nRFO_BUNDLE_DIR=\${RFO_BUNDLE_DIR:-'${join(repository, '.cache/dist')}'} exec ${words} "$@"\n`;
  return { 'bin/rfo': script, 'bin/rfo-killall.sh': await readFile(join(repository, 'deploy/rfo-killall.sh'), 'utf8') };
}
