import type { MemberService } from '../etcd-cluster/member-service.ts';
import type { SupervisorClient } from '../join/supervisor-client.ts';

/**
 * The members of etcd for a server that runs none: what joining servers ask of it is passed on to those that do.
 * @param connect makes a client of the join API of the servers with etcd; one for each request, closed after it
 */
export function forwardMembers(connect: (signal: AbortSignal) => Promise<SupervisorClient>): MemberService {
  const by = async <T>(signal: AbortSignal, act: (client: SupervisorClient) => Promise<T>): Promise<T> => {
    using client = await connect(signal);
    return await act(client);
  };
  return {
    list: (signal) => by(signal, (client) => client.members()),
    add: (wish, signal) => by(signal, (client) => client.addMember(wish)),
    removeUnstarted: (name, signal) => by(signal, (client) => client.removeUnstartedMember(name)),
    promote: (name, signal) =>
      by(signal, async (client) => {
        const answer = await client.promote(name);
        return answer.votes ? 'voting' : answer.problem;
      }),
  };
}
