// Finds out by which CA a manager is recognised, before anything is sent to it that others must not see.
import { X509Certificate } from 'node:crypto';
import { fail } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { CommandContext } from '../../cli/context.ts';
import { createManagerClient } from './client.ts';
import { confirm, isTerminal } from './prompt.ts';
import { readGiven } from './read-given.ts';

export type Recognition = {
  readonly file: string | undefined;
  readonly pin: string | undefined;
  readonly systemCa: boolean;
  /** PEM that an earlier sign-in to this address was confirmed with. */
  readonly known: string | undefined;
};

/**
 * PEM of the CA to trust, or undefined for those of the host. All that is asked of the manager meanwhile is its CA, without any credential. That
 * it names one proves nothing yet: whoever goes on verifies with it.
 * @throws file-unusable, manager-pin-wrong, manager-ca-unconfirmed, manager-not-confirmed, manager-unreachable, manager-answer-invalid
 */
export async function recogniseManager(
  server: string,
  { file, pin, systemCa, known }: Recognition,
  context: CommandContext,
): Promise<string | undefined> {
  if (systemCa) return undefined;
  if (file !== undefined) return await readCa(file);
  if (pin === undefined && known !== undefined) return known;
  const shown = await shownAuthorities(server, context);
  if (pin !== undefined) {
    const wanted = `sha256:${pin
      .toLowerCase()
      .replace(/^sha256:/, '')
      .replaceAll(':', '')}`;
    const found = shown.find((pem) => pinOf(pem) === wanted);
    if (found === undefined) throw fail('manager-pin-wrong', { server, wanted, shown: shown.map(pinOf).join(', ') || 'none of its own' });
    return found;
  }
  // It has none of its own: what it shows is signed by one that hosts know, or it is not trusted.
  if (shown.length === 0) return undefined;
  const pins = shown.map(pinOf).join(', ');
  if (!isTerminal()) throw fail('manager-ca-unconfirmed', { server, pin: pins });
  context.stderr.write(`${server} names a CA that is not known here. Its SHA-256 is\n  ${pins}\n`);
  context.stderr.write('Compare it with what the manager printed when it started.\n');
  await confirm('Trust it from now on?', `the CA of ${server}`, context);
  return shown.join('');
}

/** Throws file-unusable, also where it holds no certificate. */
export async function readCa(file: string): Promise<string> {
  const pem = await readGiven(file);
  if (certificatesIn(pem).length > 0) return pem;
  throw fail('file-unusable', { file, problem: 'it holds no certificate in PEM', cure: 'Give the CA of the certificate, in PEM' });
}

const authority = z.object({ ca: z.nullable(z.string()) });

async function shownAuthorities(server: string, context: CommandContext): Promise<readonly string[]> {
  const client = createManagerClient({ server, ca: 'unverified' }, undefined, context);
  const { ca } = await client.call(authority, { method: 'GET', path: '/authority' });
  if (ca === null) return [];
  const found = certificatesIn(ca);
  if (found.length > 0) return found;
  throw fail('manager-answer-invalid', { server, path: '/authority', problem: 'it holds no certificate' });
}

function certificatesIn(pem: string): readonly string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.filter(isCertificate).map((block) => `${block}\n`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function pinOf(pem: string): string {
  return `sha256:${new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()}`;
}
