// `rfo service render`: what a host's service manager is told of rfo. It runs on any host and changes nothing but the folder it is given.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, systemCode, writeFileAtomic } from '@rfo/foundation';
import { loadNetworkOptions } from '@rfo/schema';
import type { Run } from '../cli/context.ts';
import { loadFlags } from '../cli/with-config.ts';
import { renderSmfManifest, renderSmfMethod, smfName } from '../service-units/smf.ts';
import { renderSystemdUnit } from '../service-units/systemd.ts';
import type { UnitOptions } from '../service-units/unit.ts';

type UnitFile = { readonly name: string; readonly content: string; readonly mode: number };

export const renderService: Run = async (context) => {
  const { stdout } = context;
  const { values: config } = loadFlags((await loadNetworkOptions()).serviceRenderConfig, context);
  const options: UnitOptions = {
    role: config.role,
    outside: config['disable-agent'],
    program: config.program,
    args: config.argument,
    caDir: config['ca-dir'],
    stopTimeout: config['stop-timeout'],
  };
  const files = config.format === 'smf' ? smfFiles(options) : [systemdFile(options)];
  const folder = config['output-dir'];
  if (folder === undefined) {
    const [main, method] = files;
    stdout.write((config.method ? method : main)?.content ?? '');
    return 0;
  }
  for (const { name, content, mode } of files) {
    await write(join(folder, name), content, mode);
    stdout.write(`${join(folder, name)}\n`);
  }
  return 0;
};

function systemdFile(options: UnitOptions): UnitFile {
  return { name: `rfo-${options.role}.service`, content: renderSystemdUnit(options), mode: 0o644 };
}

/** The manifest first. */
function smfFiles(options: UnitOptions): UnitFile[] {
  const name = smfName(options);
  return [
    { name: `${name}.xml`, content: renderSmfManifest(options), mode: 0o644 },
    { name, content: renderSmfMethod(options), mode: 0o555 },
  ];
}

async function write(file: string, content: string, mode: number): Promise<void> {
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFileAtomic(file, content, mode);
  } catch (error) {
    throw fail('output-unwritable', { file, problem: systemCode(error) ?? String(error) }, error);
  }
}
