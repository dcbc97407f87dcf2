/** Runs the scanners whose names are asked for, against one host. */
import { connectivity } from './connectivity.ts';
import { pki } from './pki.ts';
import { tlsHandshake } from './tls-handshake.ts';
import { tlsSession } from './tls-session.ts';
import type { Family, Finding, Target } from './types.ts';

/**
 * What cfssl scans too, by the same names. Two of its scanners have no place in the CA of a cluster and are not here: CloudFlareStatus asks a
 * company's web site, and Broad/IntermediateCAs walks through whole networks.
 */
export const families: Readonly<Record<string, Family>> = {
  Connectivity: connectivity,
  PKI: pki,
  TLSHandshake: tlsHandshake,
  TLSSession: tlsSession,
};

export type ScanResults = Readonly<Record<string, Readonly<Record<string, Finding>>>>;

/**
 * Results by family and scanner. Families run side by side, the scanners of one after the other; where the time is over, what was found until
 * then is the result, as with cfssl.
 */
export async function runScans(
  target: Omit<Target, 'signal'>,
  options: { readonly family: NamePattern; readonly scanner: NamePattern; readonly signal: AbortSignal; readonly timeout: number },
): Promise<ScanResults> {
  const { signal, timeout } = options;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const results: Record<string, Record<string, Finding>> = {};
  const chosen = Object.entries(families).filter(([name]) => options.family(name));
  await Promise.all(
    chosen.map(async ([name, { scanners }]) => {
      for (const [scanner, { scan }] of Object.entries(scanners).filter(([each]) => options.scanner(each))) {
        const finding = await graded(() => scan({ ...target, signal: limit }), limit);
        if (finding !== undefined) results[name] = { ...results[name], [scanner]: finding };
      }
    }),
  );
  signal.throwIfAborted();
  return sorted(results);
}

async function graded(scan: () => Promise<Finding>, limit: AbortSignal): Promise<Finding | undefined> {
  if (limit.aborted) return undefined;
  try {
    return await scan();
  } catch (error) {
    return limit.aborted ? undefined : { grade: 'Bad', error: error instanceof Error ? error.message : String(error) };
  }
}

/** Go writes the keys of a map in the order of the alphabet. */
function sorted<T>(values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

export type NamePattern = (name: string) => boolean;

/**
 * The small part of regular expressions that names are chosen with: letters found anywhere, `^`, `$`, `|`. A pattern comes from anybody, and a
 * whole expression could keep the CA busy for hours. Undefined for anything else.
 */
export function namePattern(text: string): NamePattern | undefined {
  const parts = text.replace(/^\((.*)\)$/, '$1').split('|');
  if (text.length > 200 || !parts.every((part) => /^\^?[A-Za-z0-9]*\$?$/.test(part))) return undefined;
  return (name) => parts.some((part) => isFound(part, name));
}

function isFound(part: string, name: string): boolean {
  const letters = part.replace(/[\^$]/g, '');
  if (part.startsWith('^') && part.endsWith('$')) return name === letters;
  if (part.startsWith('^')) return name.startsWith(letters);
  return part.endsWith('$') ? name.endsWith(letters) : name.includes(letters);
}
