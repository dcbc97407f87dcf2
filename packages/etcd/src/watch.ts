/** Follows keys as they change: etcd's watch, as its JSON gateway streams it. */
import { fail } from '@rfo/foundation';
import type { Gateway, Int64 } from './gateway.ts';

export type KeyChange = {
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** Empty for a key that was deleted. */
  readonly value: Buffer;
};

type RawEvent = { readonly type?: 'DELETE'; readonly kv: { readonly key: string; readonly value?: string } };
type RawAnswer = {
  readonly result?: {
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly compact_revision?: Int64;
    readonly events?: readonly RawEvent[];
  };
  readonly error?: { readonly message?: string };
};

const path = '/v3/watch';

/**
 * Every change from a revision on, as long as the member lives; what one transaction changed comes together.
 * @param range encoded as in other requests: first key, and the one after the last
 * @throws etcd-unreachable when the member ends, etcd-refused (also when the revision is compacted already), or the signal's reason
 */
export async function* watchKeys(
  { endpoint, stream }: Pick<Gateway, 'stream'> & { readonly endpoint: string },
  range: { readonly key: string; readonly range_end: string; readonly start_revision: Int64 },
  signal: AbortSignal,
): AsyncGenerator<readonly KeyChange[]> {
  for await (const answer of stream(path, { create_request: range }, signal)) {
    const { result, error } = answer as RawAnswer;
    const compacted = result?.compact_revision !== undefined && `the history before revision ${result.compact_revision} is compacted`;
    const problem = error?.message ?? (result?.canceled ? result.cancel_reason || compacted || 'it ended the watch' : undefined);
    if (problem !== undefined) throw fail('etcd-refused', { endpoint, what: path, problem });
    const events = result?.events ?? [];
    if (events.length > 0) yield events.map(parseEvent);
  }
  throw fail('etcd-unreachable', { endpoint, problem: 'it ended the watch' });
}

function parseEvent({ type, kv: { key, value = '' } }: RawEvent): KeyChange {
  return {
    kind: type === 'DELETE' ? 'delete' : 'put',
    key: Buffer.from(key, 'base64').toString(),
    value: Buffer.from(value, 'base64'),
  };
}
