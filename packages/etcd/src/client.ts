import { type CallOptions, createGateway, type EtcdEndpoint } from './gateway.ts';

/** Numbers of 64 bits are decimal strings here, as they are in etcd's JSON: JavaScript numbers would lose digits. */
export type Int64 = string;

export type EtcdStatus = {
  readonly version: string;
  /** Bytes of the file, and those of it in use: the difference is what defragmenting gives back. */
  readonly dbSize: Int64;
  readonly dbSizeInUse: Int64;
  readonly memberId: Int64;
  readonly leader: Int64;
  readonly revision: Int64;
  readonly isLearner: boolean;
  readonly errors: readonly string[];
};
export type EtcdMember = {
  readonly id: Int64;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
};
export type EtcdAlarm = { readonly memberId: Int64; readonly alarm: 'NOSPACE' | 'CORRUPT' };
export type KeyValue = { readonly key: string; readonly value: Buffer; readonly modRevision: Int64 };

export type EtcdClient = {
  readonly status: (options?: CallOptions) => Promise<EtcdStatus>;
  readonly members: (options?: CallOptions) => Promise<EtcdMember[]>;
  readonly get: (key: string, options?: CallOptions) => Promise<KeyValue | undefined>;
  /** All keys that begin with the prefix, in order. */
  readonly range: (prefix: string, options?: CallOptions & { readonly limit?: number; readonly keysOnly?: boolean }) => Promise<KeyValue[]>;
  readonly put: (key: string, value: string | Uint8Array, options?: CallOptions) => Promise<void>;
  /** Gives how many keys there were. */
  readonly delete: (key: string, options?: CallOptions) => Promise<number>;
  readonly alarms: (options?: CallOptions) => Promise<EtcdAlarm[]>;
  readonly disarm: (alarm: EtcdAlarm, options?: CallOptions) => Promise<void>;
  /** Blocks the member while it lasts. */
  readonly defragment: (options?: CallOptions) => Promise<void>;
  /** Forgets the history before the revision. */
  readonly compact: (revision: Int64, options?: CallOptions) => Promise<void>;
  /** Resolves when the member answers and knows a leader; throws etcd-refused or etcd-unreachable. */
  readonly health: (options?: CallOptions) => Promise<void>;
  readonly close: () => void;
};

/** A client of one etcd member. All methods throw etcd-unreachable, etcd-refused, or the signal's reason. */
export function createEtcdClient(target: EtcdEndpoint): EtcdClient {
  const { call, close } = createGateway(target);
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
    status: async (options) => parseStatus(await post('maintenance/status', {}, options)),
    members: async (options) => {
      const { members = [] } = await post<{ members?: readonly RawMember[] }>('cluster/member/list', {}, options);
      return members.map(({ ID, name = '', peerURLs = [], clientURLs = [], isLearner = false }) => ({
        id: ID,
        name,
        peerUrls: peerURLs,
        clientUrls: clientURLs,
        isLearner,
      }));
    },
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
    disarm: async ({ memberId, alarm }, options) => {
      await post('maintenance/alarm', { action: 'DEACTIVATE', memberID: memberId, alarm }, options);
    },
    defragment: async (options) => {
      await post('maintenance/defragment', {}, options);
    },
    compact: async (revision, options) => {
      await post('kv/compaction', { revision, physical: true }, options);
    },
    health: async (options) => {
      await call('/health', undefined, options);
    },
  };
}

type RawKeyValue = { readonly key: string; readonly value?: string; readonly mod_revision: Int64 };
type RawMember = {
  readonly ID: Int64;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
};
type RawStatus = {
  readonly header: { readonly member_id: Int64; readonly revision?: Int64 };
  readonly version: string;
  readonly dbSize?: Int64;
  readonly dbSizeInUse?: Int64;
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
    memberId: header.member_id,
    leader: status.leader ?? '0',
    revision: header.revision ?? '0',
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
