import { hash } from 'node:crypto';

/** What people compare a certificate or a request by, of its DER: upper-case hex. */
export function sumsOf(der: Uint8Array): Readonly<Record<'md5' | 'sha-1' | 'sha-256', string>> {
  const sum = (name: string): string => hash(name, der).toUpperCase();
  return { 'md5': sum('md5'), 'sha-1': sum('sha1'), 'sha-256': sum('sha256') };
}
