/** Who listens on which TCP port of this host, from /proc. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { readFileIfExists, systemCode } from '@rfo/foundation';

export type Listener = { readonly address: string; readonly port: number; readonly inode: string };
export type Holder = { readonly pid: number; readonly name: string };

/** Reads `/proc/net/tcp` or `tcp6`: sockets in state 0A (listening), addresses in hexadecimal words of host byte order. */
export function parseListeners(text: string): Listener[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A')
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return { address: formatAddress(address), port: Number.parseInt(port, 16), inode: fields[9] ?? '' };
    });
}

/** All listening TCP sockets of this network namespace. */
export async function listListeners(): Promise<Listener[]> {
  const texts = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readFileIfExists));
  return texts.flatMap((text) => parseListeners(text ?? ''));
}

/** The process that holds a socket; undefined when it is another user's or in another pid namespace. */
export async function holderOf(inode: string): Promise<Holder | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const links = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
      if (!links.includes(`socket:[${inode}]`)) continue;
      return { pid: Number(pid), name: (await readFile(`/proc/${pid}/comm`, 'utf8')).trim() };
    } catch (error) {
      if (!['ENOENT', 'EACCES', 'ESRCH'].includes(systemCode(error) ?? '')) throw error;
    }
  }
  return undefined;
}

function formatAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse()).map((byte) => Number.parseInt(byte, 16));
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  return bytes.every((byte) => byte === 0)
    ? '::'
    : bytes
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('')
        .replace(/(.{4})(?=.)/g, '$1:');
}
