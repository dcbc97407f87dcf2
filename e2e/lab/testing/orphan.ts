/**
 * Makes a lab with a busy host (and a full one, when the argument `full` says so) and then hangs, so that a test can kill it at the worst
 * moment. Prints what it made as one line of JSON.
 */
import { Life } from '@rfo/foundation';
import { createLab } from '../index.ts';

const lab = await createLab({ name: 'orphan', life: new Life() });
const host = await lab.addHost({ name: 'a' });
// A process that left its parent and its session, as containers do, and a mount on a loop device.
await host.must([
  'sh',
  '-ec',
  'setsid sleep 1000 >/dev/null 2>&1 & truncate -s 4M /var/lib/rancher/disk; mkfs.ext4 -q /var/lib/rancher/disk; mount -o loop /var/lib/rancher/disk /mnt',
]);
await host.spawn('sleeper', ['sleep', '1000']);
await lab.slow(host, { delayMs: 1 });
await host.freeze();
if (process.argv[2] === 'full') {
  const full = await lab.addFullHost({ name: 'full' });
  await full.untilBooted();
}
console.log(JSON.stringify(lab.trace));
setInterval(() => undefined, 1000);
