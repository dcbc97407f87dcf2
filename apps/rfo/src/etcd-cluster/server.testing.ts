/** A server on this host as far as etcd is concerned: its own folder, a place for an etcd, and the code of a joining server. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestMember, TestMembers, TestSlot } from '@rfo/etcd';
import { Life, silentLog, systemClock } from '@rfo/foundation';
import { nodePaths, type Paths } from '../paths.ts';
import type { MembersClient } from './join-member.ts';
import type { MemberService } from './member-service.ts';
import { type PreparedMember, type PrepareOptions, prepareMember } from './prepare-member.ts';

export type TestServer = {
  readonly nodeName: string;
  readonly paths: Paths;
  readonly slot: TestSlot;
  /** As at the start of rfo; gives it the life that ends with that rfo, or never when it is killed. */
  readonly prepare: (options: Partial<PrepareOptions>) => Promise<{ readonly prepared: PreparedMember; readonly life: Life }>;
  /** Starts etcd as the component would; does not wait. */
  readonly launch: (prepared: PreparedMember, args?: readonly string[]) => Promise<TestMember>;
  /** Names of what lies in `server/db`. */
  readonly files: () => string[];
};

export async function testServer(members: TestMembers, nodeName: string): Promise<TestServer> {
  const folder = mkdtempSync(join(members.folder, `${nodeName}-`));
  const paths = nodePaths({ dataDir: folder, runDir: join(folder, 'run'), etcDir: join(folder, 'etc') });
  const slot = { ...(await members.slot()), dataDir: paths.server.etcd };
  return {
    nodeName,
    paths,
    slot,
    prepare: async (options) => {
      const life = new Life();
      const usual = { join: undefined, ask: nobody, log: silentLog, clock: systemClock, nodeIp: '127.0.0.1', peerUrl: slot.peerUrl };
      return { prepared: await prepareMember({ ...usual, paths, nodeName, life, ...options }), life };
    },
    launch: async (prepared, args = []) => members.launch(slot, { ...(await prepared.membership()), args }),
    files: () => {
      try {
        return readdirSync(dirname(paths.server.etcd)).sort();
      } catch {
        return [];
      }
    },
  };
}

/** The join API without the way there. */
export function directClient(service: MemberService): MembersClient {
  const bound = (): AbortSignal => AbortSignal.timeout(90_000);
  return {
    members: () => service.list(bound()),
    addMember: (wish) => service.add(wish, bound()),
    removeUnstartedMember: (name) => service.removeUnstarted(name, bound()),
    promote: async (name) => {
      const answer = await service.promote(name, bound());
      return answer === 'voting' ? { votes: true } : { votes: false, problem: answer };
    },
  };
}

/** No server can be asked. */
export const nobody = (): Promise<never> => Promise.reject(new Error('nobody is there'));
