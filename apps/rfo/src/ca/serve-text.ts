/** The screen of a CA that has started. */
import type { CaServeConfig } from '@rfo/schema';
import { ownHosts } from './keys/hosts.ts';
import { pinOf } from './keys/pin.ts';
import type { ServeFiles } from './serve-files.ts';
import type { LiveParts } from './serve-live.ts';

export type Serving = {
  readonly config: Pick<CaServeConfig, 'address' | 'ocsp-address' | 'host' | 'seed'>;
  readonly ports: { readonly api: number; readonly status: number; readonly seed: number | undefined };
  readonly files: Pick<ServeFiles, 'database' | 'config'>;
  readonly live: Pick<LiveParts, 'authorities' | 'compat' | 'endpoints' | 'signing'>;
};

/** Where it listens, how it is recognised, what it does not do and why. */
export function renderServing({ config, ports, files, live }: Serving): string {
  const { present, previous } = live.authorities;
  const api = reachable(config.address, config.host);
  const status = reachable(config['ocsp-address'] ?? config.address, config.host);
  const scheme = live.compat.has('plain-http') ? 'http' : 'https';
  const off = live.endpoints.disabled.map(({ name, why }) => `  not served   ${name}: ${why}`);
  return [
    '',
    'The certificate authority is ready.',
    '',
    `  API          ${scheme}://${api}:${ports.api}/api/v1/cfssl/`,
    `  OCSP, CRL    http://${status}:${ports.status}`,
    ...(ports.seed === undefined ? [] : [`  user data    http://${api}:${ports.seed} from ${config.seed}`]),
    `  pin          ${pinOf(present.certificate)}`,
    ...(previous === undefined ? [] : [`  pin before   ${pinOf(previous.certificate)} (rfo ca rotate --finish ends it)`]),
    `  profiles     ${['default', ...live.signing.profiles.keys()].join(', ')} (${files.config})`,
    `  database     ${files.database}`,
    ...off,
    ...(live.compat.size === 0 ? [] : [`  as cfssl     ${[...live.compat].join(', ')}`]),
    '',
    'SIGHUP reads keys and configuration again; SIGTERM or Ctrl-C ends it.',
    '',
    '',
  ].join('\n');
}

/** An address that others can use, where it listens on all. */
function reachable(address: string, hosts: readonly string[]): string {
  const all = address === '0.0.0.0' || address === '::';
  const host = all ? (hosts[0] ?? ownHosts()[0]) : address;
  return host.includes(':') ? `[${host}]` : host;
}
