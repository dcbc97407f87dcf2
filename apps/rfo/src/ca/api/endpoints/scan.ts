/** `scan` and `scaninfo`: a look at a TLS server, graded, and what can be looked at. */
import { isIP } from 'node:net';
import type { Clock } from '@rfo/foundation';
import type { CertificateInfo } from '@rfo/pki';
import { CfsslError } from '../../cfssl-error.ts';
import { parseGoDuration } from '../../config/go-duration.ts';
import { withDefaultPort } from '../../outbound/host-port.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { families, type NamePattern, namePattern, runScans } from '../../scan/run-scans.ts';
import type { Endpoint } from '../types.ts';

/** As many at a time: each one opens dozens of connections. */
const atOnce = 4;
const minute = 60_000;

/** @param options `roots`: those that a host's certificate must lead to, asked for when a scan needs them */
export function scanEndpoints(options: {
  readonly outbound: Outbound;
  readonly roots: () => readonly CertificateInfo[];
  readonly clock: Clock;
}): readonly Endpoint[] {
  const { outbound, roots, clock } = options;
  let running = 0;
  const scan: Endpoint = {
    name: 'scan',
    method: 'GET',
    handle: async ({ query, signal }) => {
      const { host, ip, family, scanner, timeout } = readQuery(query);
      if (running >= atOnce) throw new CfsslError(503, `${atOnce} scans are running already`, 503);
      running++;
      try {
        const named = withDefaultPort(host, 443);
        const target = { host: named.host, at: isIP(ip) === 0 ? named : { host: ip, port: named.port }, outbound, roots, now: clock.now };
        return { result: await runScans(target, { family, scanner, signal, timeout }) };
      } finally {
        running--;
      }
    },
  };
  return [scan, { name: 'scaninfo', method: 'GET', handle: async () => ({ result: describeFamilies() }) }];
}

function readQuery(query: URLSearchParams) {
  const value = (name: string): string => query.get(name) ?? '';
  const timeout = readTimeout(value('timeout'));
  const host = value('host');
  if (host === '') throw new CfsslError(400, 'no host given');
  return { host, ip: value('ip'), family: readPattern(value('family')), scanner: readPattern(value('scanner')), timeout };
}

function readPattern(text: string): NamePattern {
  const pattern = namePattern(text);
  if (pattern === undefined)
    throw new CfsslError(400, 'names of families and scanners are letters and digits, with ^, $ and | between them');
  return pattern;
}

/** Go's durations, one second to five minutes; one minute by default. Milliseconds. */
function readTimeout(text: string): number {
  if (text === '') return minute;
  const timeout = parseDuration(text);
  if (timeout < 1000 || timeout > 5 * minute) throw new CfsslError(400, 'invalid timeout given');
  return timeout;
}

function parseDuration(text: string): number {
  try {
    return parseGoDuration(text);
  } catch (error) {
    // Here cfssl makes a bad request of it.
    if (error instanceof CfsslError) throw new CfsslError(400, error.message);
    throw error;
  }
}

function describeFamilies(): unknown {
  return Object.fromEntries(
    Object.entries(families).map(([name, { description, scanners }]) => [
      name,
      {
        description,
        scanners: Object.fromEntries(Object.entries(scanners).map(([each, scanner]) => [each, { description: scanner.description }])),
      },
    ]),
  );
}
