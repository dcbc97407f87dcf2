/** A real CA for the tests of nodes, and hosts that run the scripts of user data against it. */
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, type Life, silentLog, systemClock } from '@rfo/foundation';
import { certificateInfo } from '@rfo/pki';
import { loadArguments, loadCaOptions } from '@rfo/schema';
import type { AuditEntry } from '../audit/types.ts';
import { initFolder } from '../keys/init.ts';
import { bootCa } from '../serve.ts';
import { openStore } from '../store/open-store.ts';
import type { JoinToken } from '../tokens/types.ts';
import { kubeletPlan } from '../user-data/kubelet-plan.ts';
import { kubeletJoin } from '../user-data/user-data.testing.ts';

/** `rfo ca serve` on ports of loopback that are free, and its database as the other commands open it. */
export async function startCa(life: Life) {
  const dir = mkdtempSync(join(tmpdir(), 'rfo-ca-nodes-'));
  life.defer(() => rmSync(dir, { recursive: true }));
  const folder = join(dir, 'ca');
  const day = 86_400_000;
  const common = { dir: folder, intermediate: undefined, name: 'test CA', organization: undefined, env: {}, clock: systemClock } as const;
  await initFolder({ ...common, algorithm: 'P-256', lifetime: 3650 * day, host: '127.0.0.1', ocspPort: 8889 });
  const argv = ['--dir', folder, '--host', '127.0.0.1'];
  const { values } = loadArguments((await loadCaOptions()).caServeConfig, { argv, env: {} });
  const lines: string[] = [];
  const log = createLog({ write: (line) => lines.push(line) });
  // Ports that are free are no ports that a user may write.
  const { ports } = await bootCa({ config: { ...values, 'port': 0, 'ocsp-port': 0 }, env: {}, life, log });
  const opened = await openStore({ file: join(folder, 'certdb.db'), clock: systemClock, log: silentLog });
  life.defer(() => opened.close());
  const authority = certificateInfo(readFileSync(join(folder, 'ca.pem'), 'utf8'));
  const token = async (wish: Partial<JoinToken> & { readonly node: string }): Promise<string> => {
    const defaults = { profiles: ['kubelet-client', 'kubelet-serving'], addresses: [], maxNodes: 1, description: '', expiresAt: undefined };
    return (await opened.tokens.create({ ...defaults, ...wish })).key;
  };
  return {
    ...opened,
    auditLog: opened.audit,
    dir,
    folder,
    lines,
    authority,
    token,
    url: `https://127.0.0.1:${ports.api}`,
    audit: () => auditOf(folder),
  };
}
export type TestCa = Awaited<ReturnType<typeof startCa>>;

function auditOf(folder: string): readonly AuditEntry[] {
  const lines = readFileSync(join(folder, 'audit.log'), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
}

export type Ran = { readonly code: number; readonly output: string };

/** A host that joins by the very files of its user data, in folders of its own; only what starts units is left out. */
export function testHost(
  ca: TestCa,
  host: { readonly name: string; readonly token: string; readonly pin?: string; readonly shell?: readonly string[] },
) {
  const { name, token, shell = ['dash'] } = host;
  const root = mkdtempSync(join(ca.dir, 'host-'));
  const inRoot = (text: string): string => text.replaceAll(/\/(etc\/rfo-join|var\/lib\/rfo-join|var\/lib\/kubelet)/g, `${root}/$1`);
  const pin = host.pin ?? hash('sha256', ca.authority.publicKey, 'hex');
  const plan = kubeletPlan({ ...kubeletJoin, programs: [], seed: undefined, caUrl: ca.url, caPin: pin, nodeName: name, token });
  for (const folder of ['etc/rfo-join', 'var/lib/rfo-join', 'var/lib/kubelet/pki']) mkdirSync(join(root, folder), { recursive: true });
  for (const { path, content } of plan.files) if (path.startsWith('/etc/rfo-join/')) writeFileSync(join(root, path), inRoot(content));
  const scriptOf = (file: string): string => readFileSync(join(root, 'etc/rfo-join', file), 'utf8');
  const run = (script: string): Promise<Ran> =>
    new Promise((resolve) => {
      const [file = '', ...args] = [...shell, '-s'];
      const child = execFile(file, args, { encoding: 'utf8', timeout: 60_000 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, output: stdout + stderr }),
      );
      child.stdin?.end(script);
    });
  /** All functions of the script, and what to do in the place of its own steps. */
  const steps = (lines: string): Promise<Ran> => run(`${scriptOf('join.sh').split('\ninstall_programs\n')[0]}\n${lines}\n`);
  const pki = (file: string): string => join(root, 'var/lib/kubelet/pki', file);
  return {
    steps,
    join: () => steps('fetch_authority\naddress=127.0.0.1\nobtain client "$CLIENT_PROFILE"\nobtain serving "$SERVING_PROFILE"\nwrite_node'),
    renew: () => run(scriptOf('renew.sh')),
    /** Nothing of it is due until this is said. */
    setDue: (kind: 'client' | 'serving', seconds: number) => writeFileSync(pki(`${kind}.due`), `${seconds}\n`),
    pki,
    has: (file: string) => existsSync(pki(file)),
    certificate: (kind: 'client' | 'serving') => certificateInfo(readFileSync(pki(`${kind}.pem`), 'utf8')),
    run,
  };
}
