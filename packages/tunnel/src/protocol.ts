/** What both ends of a tunnel agree on: the protocol's name, how a target is written, and how much may be on its way. */
import { isIPv6 } from 'node:net';

/** The name in the TLS handshake (ALPN) by which a server knows a tunnel. */
export const tunnelProtocol = 'rfo-tunnel';

/** Where a byte stream goes, as seen from the node: a host name or an address without brackets, and a port. */
export type Target = { readonly host: string; readonly port: number };

/** Header in which the node says why it cannot connect. */
export const problemHeader = 'rfo-problem';

/**
 * Bytes of one stream that may wait for a reader who is stuck: all that such a stream costs on either side. It also bounds what one stream
 * carries over a distance, to a window in each round trip.
 */
const streamWindow = 1024 * 1024;

/** Bytes of all streams together on their way. Node gives them back as they arrive, so stuck readers do not use this up. */
export const sessionWindow = 16 * 1024 * 1024;

const mostStreams = 16_384;

/** For both ends. Node's own limits are made for strangers; at the other end of a tunnel is a member of the cluster. */
export const sessionOptions = {
  settings: { enablePush: false, initialWindowSize: streamWindow, maxFrameSize: 64 * 1024, maxConcurrentStreams: mostStreams },
  peerMaxConcurrentStreams: mostStreams,
  /** Megabytes: the windows bound the memory; this limit would refuse new streams while others are busy. */
  maxSessionMemory: 4096,
};

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
