import { type CallOptions, createGateway, type EtcdEndpoint, type Int64 } from './gateway.ts';
import { type MemberCalls, memberCalls } from './member-calls.ts';
import { type KeyChange, watchKeys } from './watch.ts';

export type EtcdStatus = {
  readonly version: string;
  /** Bytes of the file, and those of it in use: the difference is what defragmenting gives back. */
  readonly dbSize: Int64;
  readonly dbSizeInUse: Int64;
  /** Bytes that the file may grow to. */
  readonly dbSizeQuota: Int64;
  readonly memberId: Int64;
  readonly leader: Int64;
  readonly revision: Int64;
  /** The last change that this member has applied: it grows while a learner catches up. */
  readonly raftAppliedIndex: Int64;
  readonly isLearner: boolean;
  readonly errors: readonly string[];
};
export type EtcdAlarm = { readonly memberId: Int64; readonly alarm: 'NOSPACE' | 'CORRUPT' };
export type KeyValue = { readonly key: string; readonly value: Buffer; readonly modRevision: Int64 };

export type EtcdClient = MemberCalls & {
  /** What this member says of itself; a learner answers no other question. */
  readonly status: (options?: CallOptions) => Promise<EtcdStatus>;
  readonly get: (key: string, options?: CallOptions) => Promise<KeyValue | undefined>;
  /** All keys that begin with the prefix, in order. */
  readonly range: (prefix: string, options?: CallOptions & { readonly limit?: number; readonly keysOnly?: boolean }) => Promise<KeyValue[]>;
  /**
   * Every change of keys with the prefix from a revision on (`status().revision` before a `range` misses none); a learner has none to tell.
   * Goes on until it throws: etcd-unreachable, etcd-refused, the signal's reason.
   */
  readonly watch: (
    prefix: string,
    options: { readonly fromRevision: Int64; readonly signal: AbortSignal },
  ) => AsyncGenerator<readonly KeyChange[]>;
  readonly put: (key: string, value: string | Uint8Array, options?: CallOptions) => Promise<void>;
  /** Gives how many keys there were. */
  readonly delete: (key: string, options?: CallOptions) => Promise<number>;
  /** Goes through the log of the cluster: `status().errors` tells for less whether there is one. */
  readonly alarms: (options?: CallOptions) => Promise<EtcdAlarm[]>;
  /** Raises an alarm in the name of any member; it can be done while there is no space left. */
  readonly arm: (alarm: EtcdAlarm, options?: CallOptions) => Promise<void>;
  readonly disarm: (alarm: EtcdAlarm, options?: CallOptions) => Promise<void>;
  /** Blocks the member while it lasts. */
  readonly defragment: (options?: CallOptions) => Promise<void>;
  /** Forgets the history before the revision; resolves when this member has removed it. */
  readonly compact: (revision: Int64, options?: CallOptions) => Promise<void>;
  /** Resolves when the member answers and knows a leader; throws etcd-refused, etcd-unsettled or etcd-unreachable. */
  readonly health: (options?: CallOptions) => Promise<void>;
  readonly close: () => void;
};

/** Milliseconds: gigabytes on a slow disk. */
const longWork = 30 * 60_000;

/** A client of one etcd member. All methods throw etcd-unreachable, etcd-refused, etcd-unsettled, or the signal's reason. */
export function createEtcdClient(target: EtcdEndpoint): EtcdClient {
  const { call, stream, close } = createGateway(target);
  const post = async <T>(path: string, body: object, options?: CallOptions): Promise<T> => (await call(`/v3/${path}`, body, options)) as T;
  const range = async (body: object, options?: CallOptions): Promise<KeyValue[]> => {
    const { kvs = [] } = await post<{ kvs?: readonly RawKeyValue[] }>('kv/range', body, options);
    return kvs.map(({ key, value = '', mod_revision }) => ({
      key: decode(key).toString(),
      value: decode(value),
      modRevision: mod_revision,
    }));
  };

  return {
    close,
    ...memberCalls(post),
    status: async (options) => parseStatus(await post('maintenance/status', {}, options)),
    get: async (key, options) => (await range({ key: encode(key) }, options))[0],
    range: (prefix, { limit, keysOnly, ...options } = {}) =>
      range(
        {
          key: encode(prefix === '' ? '\0' : prefix),
          range_end: encode(endOfPrefix(prefix)),
          ...(limit !== undefined && { limit: String(limit) }),
          keys_only: keysOnly ?? false,
        },
        options,
      ),
    watch: (prefix, { fromRevision, signal }) =>
      watchKeys(
        { endpoint: target.endpoint, stream },
        { key: encode(prefix), range_end: encode(endOfPrefix(prefix)), start_revision: fromRevision },
        signal,
      ),
    put: async (key, value, options) => {
      await post('kv/put', { key: encode(key), value: encode(value) }, options);
    },
    delete: async (key, options) => {
      const { deleted = '0' } = await post<{ deleted?: Int64 }>('kv/deleterange', { key: encode(key) }, options);
      return Number(deleted);
    },
    alarms: async (options) => {
      const { alarms = [] } = await post<{ alarms?: readonly { memberID: Int64; alarm: EtcdAlarm['alarm'] }[] }>(
        'maintenance/alarm',
        { action: 'GET' },
        options,
      );
      return alarms.map(({ memberID, alarm }) => ({ memberId: memberID, alarm }));
    },
    arm: async ({ memberId, alarm }, options) => {
      await post('maintenance/alarm', { action: 'ACTIVATE', memberID: memberId, alarm }, options);
    },
    disarm: async ({ memberId, alarm }, options) => {
      await post('maintenance/alarm', { action: 'DEACTIVATE', memberID: memberId, alarm }, options);
    },
    defragment: async (options) => {
      await post('maintenance/defragment', {}, { answerWithin: longWork, ...options });
    },
    compact: async (revision, options) => {
      await post('kv/compaction', { revision, physical: true }, { answerWithin: longWork, ...options });
    },
    health: async (options) => {
      await call('/health', undefined, options);
    },
  };
}

type RawKeyValue = { readonly key: string; readonly value?: string; readonly mod_revision: Int64 };
type RawStatus = {
  readonly header: { readonly member_id: Int64; readonly revision?: Int64 };
  readonly version: string;
  readonly dbSize?: Int64;
  readonly dbSizeInUse?: Int64;
  readonly dbSizeQuota?: Int64;
  readonly raftAppliedIndex?: Int64;
  readonly leader?: Int64;
  readonly isLearner?: boolean;
  readonly errors?: readonly string[];
};

/** Fields with the value zero are left out of etcd's JSON. */
function parseStatus({ header, version, ...status }: RawStatus): EtcdStatus {
  return {
    version,
    dbSize: status.dbSize ?? '0',
    dbSizeInUse: status.dbSizeInUse ?? '0',
    dbSizeQuota: status.dbSizeQuota ?? '0',
    memberId: header.member_id,
    leader: status.leader ?? '0',
    revision: header.revision ?? '0',
    raftAppliedIndex: status.raftAppliedIndex ?? '0',
    isLearner: status.isLearner ?? false,
    errors: status.errors ?? [],
  };
}

/** The first key after all those with the prefix: its last byte one higher (0xff cannot end a key in UTF-8). */
export function endOfPrefix(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  const last = end.length - 1;
  // A zero byte alone stands for the last key there is.
  if (last < 0) return Buffer.from([0]);
  end[last] = (end[last] ?? 0) + 1;
  return end;
}

function encode(value: string | Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function decode(value: string): Buffer {
  return Buffer.from(value, 'base64');
}
