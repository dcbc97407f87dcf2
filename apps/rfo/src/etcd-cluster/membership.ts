/** What a server knows of its own place in etcd, and the files it keeps that in. */
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, readFileIfExists, systemCode, writeFileIfChanged } from '@rfo/foundation';
import * as z from 'zod/mini';
import type { Paths } from '../paths.ts';
import type { EtcdPeer } from '../supervisor/api.ts';

/** What etcd is started with. */
export type Membership = {
  readonly name: string;
  /** `name=peerUrl,…`; etcd reads it at its first start only, so it is kept as it was then. */
  readonly initialCluster: string;
  readonly state: 'new' | 'existing';
  /** No other member was known at this start. */
  readonly alone: boolean;
};

/** The member's own record; the first server of a cluster has none: it goes by its node's name. */
export type OwnRecord = Pick<Membership, 'name' | 'initialCluster'>;
/** A join that is under way. */
export type JoinMark = { readonly name: string; readonly peerUrl: string };

const ownRecord = z.object({ name: z.string(), initialCluster: z.string() });
const joinMark = z.object({ name: z.string(), peerUrl: z.string() });
const peers = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    peerUrls: z.array(z.string()),
    clientUrls: z.array(z.string()),
    isLearner: z.boolean(),
  }),
);

export const readOwnRecord = (paths: Paths): Promise<OwnRecord | undefined> => readJson(paths.server.etcdMember, ownRecord);
export const writeOwnRecord = (paths: Paths, record: OwnRecord): Promise<void> => writeJson(paths.server.etcdMember, record);

export const readJoinMark = (paths: Paths): Promise<JoinMark | undefined> => readJson(paths.server.etcdJoining, joinMark);
export const writeJoinMark = (paths: Paths, mark: JoinMark): Promise<void> => writeJson(paths.server.etcdJoining, mark);
export const removeJoinMark = (paths: Paths): Promise<void> => rm(paths.server.etcdJoining, { force: true });

/** The members as they were last seen; none when this server never saw any. */
export const readKnownMembers = async (paths: Paths): Promise<readonly EtcdPeer[]> =>
  (await readJson(paths.server.etcdMembers, peers)) ?? [];
export const writeKnownMembers = (paths: Paths, members: readonly EtcdPeer[]): Promise<void> =>
  writeJson(paths.server.etcdMembers, members);

/** The first member of a cluster, as it has always been started. */
export function firstMembership({ nodeName, nodeIp }: { readonly nodeName: string; readonly nodeIp: string }): Membership {
  return { name: nodeName, initialCluster: `${nodeName}=${peerUrlOf(nodeIp)}`, state: 'new', alone: true };
}

/** What this server is in etcd by its own files. */
export async function presentMembership(given: {
  readonly paths: Paths;
  readonly nodeName: string;
  readonly peerUrl: string;
}): Promise<Membership> {
  const { paths, nodeName, peerUrl } = given;
  const [own, known] = await Promise.all([readOwnRecord(paths), readKnownMembers(paths)]);
  const alone = known.length <= 1;
  if (own === undefined) return { name: nodeName, initialCluster: `${nodeName}=${peerUrl}`, state: 'new', alone };
  return { ...own, state: 'existing', alone };
}

/** @returns `https://<address>:2380` */
export function peerUrlOf(nodeIp: string): string {
  return `https://${nodeIp}:2380`;
}

/** A new name for each join: etcd must not take a server that comes again for the one that it knew. */
export function newMemberName(nodeName: string): string {
  return `${nodeName}-${randomBytes(4).toString('hex')}`;
}

/** Whether a member of this name can be that node's: it is called like it, or like it with eight hexadecimal digits. */
export function belongsTo(memberName: string, nodeName: string): boolean {
  return memberName === nodeName || (memberName.startsWith(`${nodeName}-`) && /^[0-9a-f]{8}$/.test(memberName.slice(nodeName.length + 1)));
}

/** etcd's `--initial-cluster` from the members; those that never started have no name yet, and it asks for one. */
export function renderInitialCluster(members: readonly EtcdPeer[], self: JoinMark): string {
  return members
    .flatMap(({ id, name, peerUrls }) => {
      const called = peerUrls.includes(self.peerUrl) ? self.name : name || `unstarted-${id}`;
      return peerUrls.map((url) => `${called}=${url}`);
    })
    .join(',');
}

/** Whether etcd has begun to write its log: from then on it knows its cluster by itself. */
export async function hasEtcdData(paths: Paths): Promise<boolean> {
  try {
    return (await readdir(join(paths.server.etcd, 'member', 'wal'))).some((file) => file.endsWith('.wal'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes what a join has left on this host. The mark goes last: a kill in between leaves something to go on by. */
export async function removeEtcdData(paths: Paths): Promise<void> {
  const { etcd, etcdMember, etcdMembers } = paths.server;
  await rm(etcd, { recursive: true, force: true });
  await rm(etcdMember, { force: true });
  await rm(etcdMembers, { force: true });
  await removeJoinMark(paths);
}

async function readJson<T>(file: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
  const text = await readFileIfExists(file);
  if (text === undefined) return undefined;
  try {
    return z.parse(schema, JSON.parse(text));
  } catch (error) {
    throw fail('data-unreadable', { file }, error);
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFileIfChanged(file, `${JSON.stringify(value)}\n`, 0o600);
}
