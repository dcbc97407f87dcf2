/** `host:port` as Go's net package takes it apart and puts it together, for clients write addresses its way. */
import { isIPv6 } from 'node:net';

export type HostPort = { readonly host: string; readonly port: number };

/** `name:443`, `1.2.3.4:443`, `[::1]:443`; undefined when no port is in it or when it is nothing of that. */
export function splitHostPort(text: string): HostPort | undefined {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port < 1 || port > 65_535) return undefined;
  return { host: parts[1] ?? parts[2] ?? '', port };
}

/** The same with a port of its own where the text has none. */
export function withDefaultPort(text: string, port: number): HostPort {
  return splitHostPort(text) ?? { host: text.replace(/^\[(.*)\]$/, '$1'), port };
}

export function joinHostPort({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
