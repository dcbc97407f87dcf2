import type { CallOptions, Int64 } from './gateway.ts';

export type EtcdMember = {
  readonly id: Int64;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
};

/** Who is in the cluster, and its changes: each needs a majority, and gives the members as they are after it. */
export type MemberCalls = {
  /** As this member knows them; `linearizable` asks the majority, and fails where there is none. */
  readonly members: (options?: CallOptions & { readonly linearizable?: boolean }) => Promise<EtcdMember[]>;
  /** A learner gets everything and has no vote; etcd takes one learner at a time. */
  readonly memberAdd: (
    wish: { readonly peerUrls: readonly string[]; readonly isLearner?: boolean },
    options?: CallOptions,
  ) => Promise<{ readonly member: EtcdMember; readonly members: EtcdMember[] }>;
  /** Gives a learner that is in sync with the leader its vote. Whether it still lives is not looked at. */
  readonly memberPromote: (id: Int64, options?: CallOptions) => Promise<EtcdMember[]>;
  readonly memberRemove: (id: Int64, options?: CallOptions) => Promise<EtcdMember[]>;
  readonly memberUpdate: (id: Int64, peerUrls: readonly string[], options?: CallOptions) => Promise<EtcdMember[]>;
  /** Only the leader takes it; resolves when the other leads. */
  readonly moveLeader: (targetId: Int64, options?: CallOptions) => Promise<void>;
};

type Post = <T>(path: string, body: object, options?: CallOptions) => Promise<T>;
type RawMember = {
  readonly ID: Int64;
  readonly name?: string;
  readonly peerURLs?: readonly string[];
  readonly clientURLs?: readonly string[];
  readonly isLearner?: boolean;
};
type RawMembers = { readonly member?: RawMember; readonly members?: readonly RawMember[] };

export function memberCalls(post: Post): MemberCalls {
  const change = async (what: string, body: object, options?: CallOptions): Promise<EtcdMember[]> =>
    parseMembers(await post<RawMembers>(`cluster/member/${what}`, body, options));
  return {
    members: ({ linearizable = false, ...options } = {}) => change('list', { linearizable }, options),
    memberAdd: async ({ peerUrls, isLearner = false }, options) => {
      const { member, members } = await post<Required<RawMembers>>('cluster/member/add', { peerURLs: peerUrls, isLearner }, options);
      return { member: parseMember(member), members: parseMembers({ members }) };
    },
    memberPromote: (id, options) => change('promote', { ID: id }, options),
    memberRemove: (id, options) => change('remove', { ID: id }, options),
    memberUpdate: (id, peerUrls, options) => change('update', { ID: id, peerURLs: peerUrls }, options),
    moveLeader: async (targetId, options) => {
      await post('maintenance/transfer-leadership', { targetID: targetId }, options);
    },
  };
}

/** In the order of their ids: the same on every member. */
function parseMembers({ members = [] }: RawMembers): EtcdMember[] {
  return members.map(parseMember).sort((one, other) => (BigInt(one.id) < BigInt(other.id) ? -1 : 1));
}

/** Fields with the value zero are left out of etcd's JSON. */
function parseMember({ ID, name = '', peerURLs = [], clientURLs = [], isLearner = false }: RawMember): EtcdMember {
  return { id: ID, name, peerUrls: peerURLs, clientUrls: clientURLs, isLearner };
}
