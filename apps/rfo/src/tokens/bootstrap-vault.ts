// The files that all servers share, kept in etcd under the server token: whoever has a snapshot and that token can begin anew on an empty host.
import type { EtcdClient, KeyValue } from '@rfo/etcd';
import { type Clock, type ErrorCode, fail, RfoError, systemClock } from '@rfo/foundation';
import type { Paths } from '../paths.ts';
import { type BootstrapData, parseBootstrapData } from '../supervisor/api.ts';
import { readClusterTokens } from './cluster-tokens.ts';
import { type Envelope, type Opened, openEnvelope, parseEnvelope, sealEnvelope } from './envelope.ts';

export const bootstrapKey = '/rfo/bootstrap';

type Etcd = Pick<EtcdClient, 'get' | 'put'>;

/** What a server does with it. */
export type BootstrapVault = {
  /**
   * Writes what the disk holds, if etcd does not hold it already. To be called when the shared files have changed, and not before
   * `followClusterTokens` has resolved: by then the token of the disk is the present one, and what it does not open is of no use.
   */
  readonly save: (signal: AbortSignal) => Promise<void>;
  /** Lets the new token open it before the files change. What neither opens is left to `save`. */
  readonly reseal: (change: Change) => Promise<void>;
};
type Change = { readonly token: string; readonly previous: string; readonly until: number; readonly signal: AbortSignal };

/** @param read gives the shared files (`readBootstrapData`) */
export function createBootstrapVault(input: {
  readonly etcd: Etcd;
  readonly paths: Paths;
  readonly read: () => Promise<BootstrapData>;
  readonly clock?: Clock;
}): BootstrapVault {
  const { etcd, paths, read, clock = systemClock } = input;
  return {
    save: async (signal) => {
      const tokens = await readClusterTokens(paths);
      if (tokens === undefined) throw fail('data-unreadable', { file: paths.server.clusterTokens });
      await saveBootstrapData({ etcd, token: tokens.server, data: await read(), replace: true, clock, signal });
    },
    reseal: async (change) => {
      await resealBootstrapData({ etcd, ...change }).catch(unless(['bootstrap-locked', 'bootstrap-damaged']));
    },
  };
}

/**
 * Seals the data under the token and stores it, unless just that is stored already. Other tokens that open it (old ones whose time is
 * not over) go on doing so; those whose time is over do not, and cannot read what is written from then on.
 * @param token password of the server token; at least one character
 * @param replace write anew what this token does not open; else that is bootstrap-locked, for it may be ours that is the old one
 * @returns whether it was written
 * @throws bootstrap-locked, token-malformed (empty), and the errors of etcd
 */
export async function saveBootstrapData(input: {
  readonly etcd: Etcd;
  readonly token: string;
  readonly data: BootstrapData;
  readonly replace?: boolean;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}): Promise<boolean> {
  const { etcd, token, data, replace = false, clock = systemClock, signal } = input;
  const content = renderData(data);
  return await update(etcd, signal, async (stored) => {
    // What is damaged is of no use to anybody, and this server has what it was made from.
    const passOver: readonly ErrorCode[] = replace ? ['bootstrap-damaged', 'bootstrap-locked'] : ['bootstrap-damaged'];
    const old = stored && (await open(stored.value, token).catch(unless(passOver)));
    if (old === undefined) return await sealEnvelope({ content, password: token });
    const { envelope, opened } = old;
    const kept = envelope.keys.filter(({ until }) => until === undefined || until > clock.now());
    const isOver = kept.length < envelope.keys.length;
    if (!isOver && opened.content === content) return undefined;
    // The key of the text is known to whoever has a token whose time is over, and must not seal anything new. It is exchanged as soon as
    // nobody else needs it: of old tokens whose time is not over we know only hashes.
    const exchange = isOver && kept.every((key) => key === opened.by);
    return await sealEnvelope({ content, ...(exchange ? { password: token } : { keys: { of: opened, kept } }) });
  });
}

/**
 * Lets another token open what is stored, before it takes the place of the one that did.
 * @param until milliseconds since 1970: how long the previous one opens it still
 * @returns whether it was written
 * @throws bootstrap-locked where neither of the two opens it, bootstrap-damaged, token-malformed (empty), and the errors of etcd
 */
export async function resealBootstrapData(
  input: Omit<Change, 'signal'> & {
    readonly etcd: Etcd;
    readonly signal?: AbortSignal;
  },
): Promise<boolean> {
  const { etcd, token, previous, until, signal } = input;
  return await update(etcd, signal, async (stored) => {
    if (stored === undefined) return undefined;
    const already = await open(stored.value, token).catch(unless(['bootstrap-locked']));
    if (already !== undefined) return undefined;
    const { envelope, opened } = await open(stored.value, previous);
    const kept = envelope.keys.map((key) => (key === opened.by ? { ...key, until } : key));
    return await sealEnvelope({ content: opened.content, password: token, keys: { of: opened, kept } });
  });
}

/**
 * What a value of `bootstrapKey` holds.
 * @param token password of a server token that opened it when it was written
 * @throws bootstrap-locked, bootstrap-damaged, token-malformed (empty)
 */
export async function openBootstrapData({
  record,
  token,
}: {
  readonly record: Uint8Array;
  readonly token: string;
}): Promise<BootstrapData> {
  const { opened } = await open(record, token);
  try {
    return parseBootstrapData(JSON.parse(opened.content));
  } catch {
    // The message would quote the content.
    throw fail('bootstrap-damaged', { problem: 'it is no map of files' });
  }
}

async function open(record: Uint8Array, token: string): Promise<{ readonly envelope: Envelope; readonly opened: Opened }> {
  const envelope = parseEnvelope(Buffer.from(record).toString());
  return { envelope, opened: await openEnvelope(envelope, token) };
}

/**
 * Writes what `change` makes of the stored value, unless it gives undefined. It is slow on purpose, so that somebody else may have written
 * meanwhile: then it is asked again. Two servers that write within the moment of the last look hold the same files.
 */
async function update(
  etcd: Etcd,
  signal: AbortSignal | undefined,
  change: (stored: KeyValue | undefined) => Promise<string | undefined>,
): Promise<boolean> {
  const options = signal === undefined ? {} : { signal };
  for (;;) {
    const before = await etcd.get(bootstrapKey, options);
    const next = await change(before);
    if (next === undefined) return false;
    const now = await etcd.get(bootstrapKey, options);
    if (now?.modRevision !== before?.modRevision) continue;
    await etcd.put(bootstrapKey, next, options);
    return true;
  }
}

/** In one order, so that the same files are the same text. */
function renderData(data: BootstrapData): string {
  return JSON.stringify(Object.fromEntries(Object.entries(data).sort(([one], [other]) => (one < other ? -1 : 1))));
}

function unless(codes: readonly ErrorCode[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof RfoError && codes.includes(error.code)) return undefined;
    throw error;
  };
}
