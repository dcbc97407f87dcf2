import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createTestMembers, type EtcdClient, type TestMembers } from '@rfo/etcd';
import { Life, orAbort, silentLog } from '@rfo/foundation';
import { startTestCluster, type TestCluster, waitForObject } from '@rfo/kube';
import { waitForFile } from '@rfo/process';
import { TestNode } from '../certificates/node.testing.ts';
import type { BootstrapData } from '../supervisor/api.ts';
import { bootstrapKey, createBootstrapVault, openBootstrapData } from './bootstrap-vault.ts';
import { rotateClusterToken } from './cluster-token-secret.ts';
import { parseClusterTokens, readClusterTokens } from './cluster-tokens.ts';
import { ensureTokens } from './ensure-tokens.ts';
import { followClusterTokens } from './follow-cluster-tokens.ts';

const [first, second, third, fourth] = ['first', 'second', 'third', 'fourth'].map((which) => `${which}-secret-of-the-servers`) as [
  string,
  string,
  string,
  string,
];
const hour = 3_600_000;
const within = () => AbortSignal.timeout(90_000);

/** The API server has an etcd of its own here; the one of the vault is as real. */
describe('a server that follows the tokens of its cluster', { timeout: 180_000 }, () => {
  let cluster: TestCluster;
  let members: TestMembers;
  let etcd: EtcdClient;
  let node: TestNode;
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead };

  before(async () => {
    members = await createTestMembers();
    const [started, member] = await Promise.all([startTestCluster(), members.start(await members.slot(), { name: 'one' })]);
    cluster = started;
    etcd = member.client;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
    await waitForObject(cluster.client, namespace, { accept: () => true, signal: within() });
    node = new TestNode();
    await node.ensure();
    await ensureTokens({ config: { token: first }, paths: node.paths, log: silentLog });
  });
  after(async () => {
    await cluster?.stop();
    await members?.stop();
    node?.[Symbol.dispose]();
  });

  const shared = async (): Promise<BootstrapData> => ({ 'cred/passwd': await readFile(node.paths.server.passwd, 'base64') });
  /** Follows while `act` lasts, and until `proof` holds: it is looked at after every write to the vault. */
  const follow = async (proof: () => Promise<void>, act: () => Promise<void> = async () => undefined): Promise<void> => {
    await using life = new Life();
    const vault = createBootstrapVault({ etcd, paths: node.paths, read: shared, clock });
    let [acted, problem]: [boolean, unknown] = [false, undefined];
    const proven = Promise.withResolvers<void>();
    const look = async (): Promise<void> => {
      if (!acted) return;
      await proof().then(proven.resolve, (error: unknown) => {
        problem = error;
      });
    };
    const save = async (signal: AbortSignal): Promise<void> => {
      await vault.save(signal);
      await look();
    };
    await followClusterTokens({ paths: node.paths, client: cluster.client, life, log: silentLog, clock, vault: { ...vault, save } });
    await act();
    acted = true;
    await look();
    await orAbort(proven.promise, within()).catch((error: unknown) => {
      throw problem ?? error;
    });
  };
  const rotate = async (password: string, overlap: number): Promise<void> => {
    const own = await readClusterTokens(node.paths);
    assert.ok(own);
    const times = { now: clock.now(), until: clock.now() + overlap };
    const { revision } = await rotateClusterToken({ client: cluster.client, own, which: 'server', password, ...times, signal: within() });
    const predicate = (text: string): boolean => parseClusterTokens(text, 'the file').revision === revision;
    await waitForFile(node.paths.server.clusterTokens, { signal: within(), predicate });
  };
  const opened = async (token: string): Promise<BootstrapData> => {
    const found = await etcd.get(bootstrapKey);
    assert.ok(found);
    return openBootstrapData({ record: found.value, token });
  };

  /** The files as they are open to these tokens alone. */
  const openTo = (tokens: readonly string[], locked: readonly string[]) => async (): Promise<void> => {
    const files = await shared();
    for (const token of tokens) assert.deepEqual(await opened(token), files);
    for (const token of locked) await assert.rejects(opened(token), { code: 'bootstrap-locked' });
  };

  it('seals the shared files when it starts', () => follow(openTo([first], [second])));

  it('reseals them as they are after a rotation, for both tokens', async () => {
    await follow(openTo([first, second], []), () => rotate(second, hour));
    const passwd = Buffer.from((await opened(first))['cred/passwd'] ?? '', 'base64').toString();
    assert.match(passwd, new RegExp(`^${second},server,`));
  });

  it('shuts the old token out when its time is over', async () => {
    ahead += hour;
    await follow(openTo([second], [first]));
  });

  it('does so by itself at that moment', () => follow(openTo([third], [second]), () => rotate(third, 5000)));

  it('writes them anew where etcd was restored and only an older token opens them', async () => {
    const older = await etcd.get(bootstrapKey);
    assert.ok(older);
    await follow(openTo([fourth], [third]), () => rotate(fourth, 0));
    await etcd.put(bootstrapKey, older.value);
    await follow(openTo([fourth], [third]));
  });
});
