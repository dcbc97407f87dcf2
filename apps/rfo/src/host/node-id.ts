/** The id that tells hosts of the same name apart. */
import { randomBytes } from 'node:crypto';
import { readFileIfExists, writeFileIfChanged } from '@rfo/foundation';

/** The id that this host was given, 4 bytes in hex; a new one where it has none yet, which is the caller's to keep. */
export async function chooseNodeId(file: string): Promise<string> {
  const kept = (await readFileIfExists(file))?.trim();
  return kept === undefined || kept === '' ? randomBytes(4).toString('hex') : kept;
}

/** Keeps the id that was chosen, so that the host has the same one at the next start; does nothing where there is none to keep. */
export async function keepNodeId(file: string, id: string | undefined): Promise<void> {
  if (id !== undefined) await writeFileIfChanged(file, `${id}\n`, 0o600);
}
