import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { defaultClusterSettings } from '@rfo/schema';
import { TestNode } from '../certificates/node.testing.ts';
import { readJoinConfig, readKnownAuthority, readKnownServers, writeJoinConfig, writeKnownServers } from './join-state.ts';

const config = { settings: defaultClusterSettings, versions: { rfo: '0.1.0', kubernetes: 'v1.36.3' }, time: 1 };
const servers = {
  url: { host: 'lb.example.com', port: 9345 },
  addresses: [
    { host: '192.0.2.7', port: 9345 },
    { host: '2001:db8::7', port: 9345 },
  ],
};

describe('what a node remembers of its cluster', () => {
  it('is nothing before it has joined', async () => {
    using node = new TestNode();
    assert.equal(await readJoinConfig(node.paths), undefined);
    assert.equal(await readKnownServers(node.paths), undefined);
    assert.equal(readKnownAuthority(node.paths), undefined);
  });

  it('is read as it was written, by root alone, the servers in RKE2’s form', async () => {
    using node = new TestNode();
    const { paths } = node;
    await writeJoinConfig(paths, config);
    assert.equal(await writeKnownServers(paths, servers), true);
    assert.equal(await writeKnownServers(paths, servers), false);
    assert.deepEqual(await readJoinConfig(paths), { ...config, time: 0 });
    assert.deepEqual(await readKnownServers(paths), servers);
    assert.deepEqual(JSON.parse(readFileSync(paths.agent.knownServers, 'utf8')), {
      ServerURL: 'https://lb.example.com:9345',
      ServerAddresses: ['192.0.2.7:9345', '[2001:db8::7]:9345'],
    });
    for (const file of [paths.agent.joinState, paths.agent.knownServers]) assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('is told by its file where it is damaged', async () => {
    using node = new TestNode();
    const { joinState, knownServers, etc } = node.paths.agent;
    mkdirSync(etc, { recursive: true });
    for (const text of ['', '{', '[]', '{"settings":{},"versions":{}}', '{"ServerURL":"ftp://a","ServerAddresses":[]}']) {
      writeFileSync(joinState, text);
      writeFileSync(knownServers, text);
      await assert.rejects(readJoinConfig(node.paths), { code: 'join-state-unreadable', message: new RegExp(joinState) });
      await assert.rejects(readKnownServers(node.paths), { code: 'join-state-unreadable', message: new RegExp(knownServers) });
    }
    using other = new TestNode();
    mkdirSync(other.paths.agent.joinState, { recursive: true });
    await assert.rejects(readJoinConfig(other.paths), { code: 'join-state-unreadable', message: /EISDIR/ });
  });
});
