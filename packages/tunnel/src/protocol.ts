/** What both ends of a tunnel agree on: the protocol's name and how a target is written. */
import { isIPv6 } from 'node:net';
import type { Carrier } from './carrier.ts';
import { nearWindow } from './windows.ts';

/** The name in the TLS handshake (ALPN) by which a server knows a tunnel. */
export const tunnelProtocol = 'rfo-tunnel';

/** Where a byte stream goes, as seen from the node: a host name or an address without brackets, and a port. */
export type Target = { readonly host: string; readonly port: number };

/** Header in which the node says why it cannot connect. */
export const problemHeader = 'rfo-problem';

const mostStreams = 16_384;

/** For both ends. Node's own limits are made for strangers; at the other end of a tunnel is a member of the cluster. */
export function sessionOptions(carrier: Carrier) {
  return {
    settings: { enablePush: false, initialWindowSize: nearWindow(carrier), maxConcurrentStreams: mostStreams },
    peerMaxConcurrentStreams: mostStreams,
    /** Megabytes: the windows bound the memory; this limit would refuse new streams while others are busy. */
    maxSessionMemory: 4096,
  };
}

export function formatTarget({ host, port }: Target): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @returns undefined for what is no `host:port` */
export function parseTarget(text: string): Target | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) return undefined;
  return { host, port };
}

/** One line for what went wrong, whatever was thrown. */
export function problemOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(problemOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
