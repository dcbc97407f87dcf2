import { readFile, writeFile } from 'node:fs/promises';

const file = '/proc/sys/fs/inotify/max_user_instances';
const enough = 1024;

/**
 * Lets this machine have as many watchers of files as the test hosts need together: a server takes some 20 of them, and without a namespace
 * of their own all hosts share what root may have, often 128. It holds until the machine is booted again.
 */
export async function raiseWatchLimit(say: (line: string) => void): Promise<void> {
  const now = Number(await readFile(file, 'utf8'));
  if (now >= enough) return;
  await writeFile(file, String(enough));
  say(`raised fs.inotify.max_user_instances from ${now} to ${enough} for the test hosts`);
}
