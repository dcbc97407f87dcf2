import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createMembers, type TestMember, type TestMembers } from './testing/members.ts';
import type { KeyChange } from './watch.ts';

describe('a watch of a real etcd', { timeout: 60_000 }, () => {
  let members: TestMembers;
  let etcd: TestMember;
  before(async () => {
    members = await createMembers();
    etcd = await members.start(await members.slot(), { name: 'default' });
  });
  after(() => members.stop());

  const next = async (changes: AsyncGenerator<readonly KeyChange[]>): Promise<readonly string[]> => {
    const { value } = await changes.next();
    return (value as readonly KeyChange[]).map(({ kind, key, value: content }) => `${kind} ${key} ${content}`.trim());
  };

  it('tells what happened since a revision and goes on with what happens, of keys with the prefix alone', async ({ signal }) => {
    const { client } = etcd;
    const { revision } = await client.status();
    await client.put('/w/a', 'one');
    await client.put('/x', 'other');
    const changes = client.watch('/w/', { fromRevision: String(BigInt(revision) + 1n), signal });
    assert.deepEqual(await next(changes), ['put /w/a one']);
    await client.put('/w/b', 'ü');
    assert.deepEqual(await next(changes), ['put /w/b ü']);
    await client.delete('/w/a');
    assert.deepEqual(await next(changes), ['delete /w/a']);
    await changes.return(undefined);
    // The client goes on to be of use.
    assert.equal((await client.get('/w/b'))?.value.toString(), 'ü');
  });

  it('ends with its signal, and with the member', async () => {
    const { client } = etcd;
    const end = new AbortController();
    const ended = client.watch('/w/', { fromRevision: '1', signal: end.signal });
    await next(ended);
    const reason = new Error('enough');
    const rest = (async () => {
      for await (const _ of ended);
    })();
    end.abort(reason);
    await assert.rejects(rest, reason);

    const broken = client.watch('/none', { fromRevision: '1', signal: new AbortController().signal });
    const told = assert.rejects(broken.next(), { code: 'etcd-unreachable' });
    await client.put('/w/c', '');
    await etcd.kill();
    await told;
  });

  it('says that the history before is gone', async ({ signal }) => {
    const { client } = await members.start(await members.slot(), { name: 'other' });
    for (const value of ['1', '2', '3']) await client.put('/k', value);
    await client.compact((await client.status()).revision);
    const changes = client.watch('/k', { fromRevision: '2', signal });
    await assert.rejects(changes.next(), (error) => {
      assert.match(String(error), /refuses \/v3\/watch: .*compacted/);
      return true;
    });
  });
});
