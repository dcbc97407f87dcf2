/** A node's certificates in a temporary folder, under a clock that the test moves. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateInfo, certificateInfo } from '@rfo/pki';
import { nodePaths } from '../paths.ts';
import { type EnsureOptions, ensureCertificates } from './ensure.ts';
import type { Ensured } from './ensured.ts';
import type { CertificateInputs } from './table.ts';

export const day = 86_400_000;
export const start = Date.parse('2026-11-21T10:00:00Z');

export const inputs: CertificateInputs = {
  nodeName: 'node-1',
  nodeIps: ['192.0.2.7', '2001:db8::7'],
  serviceIps: ['10.43.0.1'],
  clusterDomain: 'cluster.local',
  tlsSans: ['k8s.example', '198.51.100.1'],
  advertiseAddress: '192.0.2.7',
};

export class TestNode implements Disposable {
  now = start;
  readonly #folder = mkdtempSync(join(tmpdir(), 'rfo-certificates-'));
  readonly clock = { now: (): number => this.now };
  readonly paths = nodePaths({ dataDir: this.#folder, runDir: join(this.#folder, 'run'), etcDir: join(this.#folder, 'etc') });

  ensure(change: Partial<EnsureOptions> = {}): Promise<Ensured> {
    return ensureCertificates({ paths: this.paths, inputs, clock: this.clock, ...change });
  }

  path(file: string): string {
    return join(this.paths.server.tls, file);
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8');
  }

  info(name: string): CertificateInfo {
    return certificateInfo(this.read(`${name}.crt`));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** `name: action (reason)` of everything that was not kept. */
export function changesOf({ certificates, serviceKey }: Ensured): string[] {
  return [...certificates, serviceKey]
    .filter(({ action }) => action !== 'kept')
    .map(({ name, action, reason }) => `${name}: ${action} (${reason})`);
}
