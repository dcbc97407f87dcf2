import { type EtcdClient, type EtcdMember, etcdRefusal } from '@rfo/etcd';
import { fail, sleep } from '@rfo/foundation';
import type { AddMember, EtcdPeer } from '../supervisor/api.ts';
import { belongsTo } from './membership.ts';

/** What an existing server does for one that joins: what stands behind the routes of etcd in the join API. */
export type MemberService = {
  /** As the majority knows them; throws where there is none. */
  readonly list: (signal: AbortSignal) => Promise<readonly EtcdPeer[]>;
  /**
   * Adds a learner and gives all members with it. A learner that an earlier attempt of the same host left is taken back first; that
   * another one is joining, or that etcd is not settled after the last, is waited for, but not for long: nothing must be added for a caller
   * who has given up.
   * @throws etcd-node-name-taken, etcd-address-taken, etcd-busy, what etcd refuses, or the signal's reason
   */
  readonly add: (wish: AddMember, signal: AbortSignal) => Promise<readonly EtcdPeer[]>;
  /**
   * Takes back a learner; nothing happens where there is none.
   * @param name its name or, as one that never started has none, its peer URL
   * @throws etcd-member-votes
   */
  readonly removeUnstarted: (name: string, signal: AbortSignal) => Promise<void>;
  /**
   * Gives a learner its vote when it has caught up; else says why it has none yet. Asked by the joining server itself, while its etcd
   * answers: etcd would promote a dead learner too, and a dead voter can cost the majority.
   * @throws etcd-member-unknown
   */
  readonly promote: (name: string, signal: AbortSignal) => Promise<'voting' | string>;
};

/** Milliseconds between attempts while etcd cannot take another learner, and for how long. */
const usualPace = { retry: 250, wait: 5_000 };

export function createMemberService({
  etcd,
  pace = usualPace,
}: {
  readonly etcd: EtcdClient;
  readonly pace?: typeof usualPace;
}): MemberService {
  const list = (signal: AbortSignal): Promise<EtcdMember[]> => etcd.members({ linearizable: true, signal });

  const tryAdd = async (wish: AddMember, signal: AbortSignal): Promise<readonly EtcdPeer[]> => {
    const members = await list(signal);
    // Its own, which has started meanwhile: the answer to an earlier question was lost.
    if (members.some(({ name }) => name === wish.name)) return members;
    for (const { id } of leftoversOf(wish, members)) await etcd.memberRemove(id, { signal });
    return (await etcd.memberAdd({ peerUrls: wish.peerUrls, isLearner: true }, { signal })).members;
  };

  return {
    list,
    add: async (wish, signal) => {
      const until = performance.now() + pace.wait;
      for (;;) {
        try {
          return await tryAdd(wish, signal);
        } catch (error) {
          const refusal = etcdRefusal(error) ?? '';
          if (!passes.test(refusal)) throw error;
          if (performance.now() > until) throw fail('etcd-busy', { problem: refusal }, error);
        }
        await sleep(pace.retry, signal);
      }
    },
    removeUnstarted: async (name, signal) => {
      const found = find(await list(signal), name);
      if (found === undefined) return;
      if (!found.isLearner) throw fail('etcd-member-votes', { name });
      await etcd.memberRemove(found.id, { signal });
    },
    promote: async (name, signal) => {
      const members = await list(signal);
      const found = find(members, name);
      if (found === undefined) {
        if (members.some((member) => member.name === '')) return 'it has not started yet';
        throw fail('etcd-member-unknown', { name });
      }
      if (!found.isLearner) return 'voting';
      try {
        await etcd.memberPromote(found.id, { signal });
        return 'voting';
      } catch (error) {
        const refusal = etcdRefusal(error);
        if (refusal === undefined) throw error;
        return refusal;
      }
    },
  };
}

/**
 * The learners that this host's earlier attempts left behind: they have its address.
 * @throws etcd-address-taken when a voter has it, etcd-node-name-taken when a member elsewhere has the node's name
 */
function leftoversOf({ nodeName, peerUrls }: AddMember, members: readonly EtcdMember[]): EtcdMember[] {
  const here = members.filter((member) => member.peerUrls.some((url) => peerUrls.includes(url)));
  const voter = here.find(({ isLearner }) => !isLearner);
  if (voter !== undefined) {
    const node = belongsTo(voter.name, nodeName) ? nodeName : voter.name;
    throw fail('etcd-address-taken', { address: peerUrls.join(', '), name: voter.name, node });
  }
  const namesake = members.find((member) => !here.includes(member) && member.name !== '' && belongsTo(member.name, nodeName));
  if (namesake !== undefined) throw fail('etcd-node-name-taken', { name: nodeName, address: namesake.peerUrls.join(', ') });
  return here;
}

function find(members: readonly EtcdMember[], nameOrUrl: string): EtcdMember | undefined {
  return members.find(({ name, peerUrls }) => name === nameOrUrl || peerUrls.includes(nameOrUrl));
}

/**
 * What a moment cures: another learner, peers that have just connected, an election. `member not found` means that the id was used before:
 * etcd makes it from the address and the second.
 */
const passes = /too many learner|member not found|unhealthy cluster|not enough started members|leader changed|no leader|timed out/;
