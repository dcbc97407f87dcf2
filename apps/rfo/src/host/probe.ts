/**
 * Asks the kernel for what cannot be read anywhere: whether nftables, iptables and overlayfs really work here.
 * All is tried in one throwaway network and mount namespace, so nothing of it is ever seen on the host.
 */
import { access, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, systemCode } from '@rfo/foundation';
import { execute } from './execute.ts';

/** A feature that works, or the reason why it does not. */
export type Probe = { readonly ok: true } | { readonly ok: false; readonly why: string };
export type Probes = { readonly nftables: Probe; readonly iptables: Probe; readonly overlayfs: Probe };

/** Each kind of expression that kube-proxy 1.36 in nftables mode, flannel and portmap put into their tables. */
const nftRules = `
table ip rfo-probe {
  set affinity { type ipv4_addr; flags dynamic,timeout; timeout 3h; }
  map services { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain endpoint { ip saddr 10.0.0.1 meta mark set meta mark or 0x4000; update @affinity { ip saddr }; meta l4proto tcp dnat to 10.0.0.1:80; }
  chain other { reject; }
  chain service { numgen random mod 2 vmap { 0 : goto endpoint, 1 : goto other }; }
  chain nat-prerouting { type nat hook prerouting priority dstnat; fib daddr type local ip daddr . meta l4proto . th dport vmap @services; }
  chain nat-postrouting { type nat hook postrouting priority srcnat; meta mark and 0x4000 != 0 masquerade fully-random; }
  chain filter-forward { type filter hook forward priority -110; ct state new ip daddr . meta l4proto . th dport vmap @services; }
}
`;

const script = `
(printf '%s' "$RULES" | nft -f - 2>&1 && echo works) | sed 's/^/nftables /' &
(iptables -w 5 -t nat -S 2>&1 >/dev/null && iptables -w 5 -t mangle -S 2>&1 >/dev/null && echo works) | sed 's/^/iptables /' &
(mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged 2>&1 && echo works) | sed 's/^/overlayfs /' &
wait
`;

/**
 * @param folder on whose filesystem overlayfs is to work; where it does not exist yet, the one that it will be made in
 * @throws data-unwritable
 */
export async function probeKernel(folder: string): Promise<Probes> {
  const scratch = join(await existingFolder(folder), `.rfo-probe-${process.pid}`);
  await makeScratch(scratch, folder);
  try {
    const run = await execute('unshare', ['--net', '--mount', 'sh', '-c', `cd "$FOLDER" || exit 1\n${script}`], {
      env: { RULES: nftRules, FOLDER: scratch },
      timeout: 10_000,
    });
    return {
      nftables: readProbe(run.stdout, 'nftables', run.stderr),
      iptables: readProbe(run.stdout, 'iptables', run.stderr),
      overlayfs: readProbe(run.stdout, 'overlayfs', run.stderr),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Tries whether a folder, or the one that it will be made in, can be written to.
 * @throws data-unwritable
 */
export async function requireWritable(folder: string): Promise<void> {
  const scratch = join(await existingFolder(folder), `.rfo-probe-${process.pid}`);
  await makeScratch(scratch, folder);
  await rm(scratch, { recursive: true, force: true });
}

/** Not made with its parents: on /proc, Node would try that for ever. */
async function makeScratch(scratch: string, folder: string): Promise<void> {
  try {
    await mkdir(scratch, { mode: 0o700 });
    await Promise.all(['lower', 'upper', 'work', 'merged'].map((name) => mkdir(join(scratch, name), { mode: 0o700 })));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw fail('data-unwritable', { dir: folder, problem: systemCode(error) ?? '' }, error);
  }
}

function readProbe(output: string, name: string, stderr: string): Probe {
  const said = output
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1));
  if (said.includes('works')) return { ok: true };
  return { ok: false, why: said.find((line) => line.trim() !== '')?.trim() ?? (stderr === '' ? 'the test could not run' : stderr) };
}

/** The folder, or the nearest one above it that exists. */
export async function existingFolder(folder: string): Promise<string> {
  try {
    await access(folder);
    return folder;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || folder === '/') throw error;
    return existingFolder(dirname(folder));
  }
}
