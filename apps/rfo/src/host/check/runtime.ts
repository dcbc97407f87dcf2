/** Whether the container runtime can be what the configuration asks for. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readFileIfExists, systemCode } from '@rfo/foundation';
import { type Check, type CheckInputs, type Finding, failed, ok } from './finding.ts';

export const checkRuntime: Check = async (inputs) => [...(await selinux(inputs)), ...(await defaultRuntime(inputs))];

/** containerd would run without labels and say nothing. */
async function selinux({ config }: CheckInputs): Promise<Finding[]> {
  if (!config.selinux) return [];
  const enforcing = await readFileIfExists('/sys/fs/selinux/enforce');
  if (enforcing === undefined)
    return [failed('SELinux', 'selinux is set, but this host runs without it', 'Leave selinux out, or boot with it')];
  return [ok('SELinux', enforcing.trim() === '1' ? 'enforcing' : 'permissive')];
}

/** containerd refuses to serve pods with a default runtime that nothing declares. */
async function defaultRuntime({ config, paths }: CheckInputs): Promise<Finding[]> {
  const name = config['default-runtime'];
  if (name === undefined || name === 'runc') return [];
  const folder = join(dirname(paths.agent.containerdConfig), 'config.toml.d');
  const files = (await list(folder)).filter((file) => file.endsWith('.toml'));
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  if (texts.some((text) => declares(text, name))) return [ok('default runtime', name)];
  return [
    failed(
      'default runtime',
      `no file of ${folder} declares the runtime ${name}`,
      `Declare it there as [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.${name}], or leave default-runtime out`,
    ),
  ];
}

/** Whether there is a table `…runtimes.<name>`, with or without quotes. */
function declares(text: string, name: string): boolean {
  return [`.runtimes.${name}]`, `.runtimes."${name}"]`, `.runtimes.'${name}']`].some((table) => text.includes(table));
}

async function list(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}
