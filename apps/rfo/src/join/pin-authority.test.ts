import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { Life, type RfoError, silentLog } from '@rfo/foundation';
import { certificateInfo } from '@rfo/pki';
import { caHash, type ParsedToken } from '../tokens/token-format.ts';
import { closedAddress, memoryLog, never, startBadServer, startTestSupervisor, TestServerFiles } from './join.testing.ts';
import { pinAuthority, pinServer } from './pin-authority.ts';
import { createSupervisorClient } from './supervisor-client.ts';

const serves =
  (text: string): RequestListener =>
  (_, response) =>
    void response.end(text);

describe('pinning the CA of a cluster', () => {
  const common = { known: undefined, signal: never, log: silentLog };

  it('takes the CA whose hash the token names', async () => {
    await using life = new Life();
    const { address, files } = await startTestSupervisor(life);
    assert.equal(await pinAuthority({ ...common, address, token: files.token('agent') }), files.ca);
  });

  it('hands on the connection on which the server was verified, so that a join takes two', async () => {
    await using life = new Life();
    using files = await TestServerFiles.create();
    const server = await startBadServer(life, files.serving, (request, response) =>
      response.end(request.url === '/cacerts' ? files.ca : 'ok'),
    );
    const token = files.token('agent');
    using pinned = await pinServer({ ...common, address: server.address, token });
    using client = createSupervisorClient({
      ...{ addresses: [server.address], ca: pinned.ca, agent: pinned.agent, nodeName: 'node-2', signal: never },
      token: { credential: token.credential, role: 'agent' },
    });
    await client.ready();
    await client.ready();
    const ports = server.requests.map(({ socket }) => socket.remotePort);
    assert.equal(ports.length, 3);
    assert.notEqual(ports[0], ports[1]);
    assert.deepEqual(ports.slice(1), [ports[1], ports[1]]);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization !== undefined),
      [false, true, true],
    );
  });

  it('refuses another CA, naming both hashes, and has told the server nothing but that it wants /cacerts', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    using impostor = await TestServerFiles.create();
    const server = await startBadServer(life, impostor.serving, serves(impostor.ca));
    await assert.rejects(pinAuthority({ ...common, address: server.address, token: cluster.token('agent') }), (error: RfoError) => {
      assert.equal(error.code, 'authority-mismatch');
      assert.match(error.message, new RegExp(`hash is ${caHash(impostor.ca)}, the token says ${caHash(cluster.ca)}`));
      return true;
    });
    assert.deepEqual(
      server.requests.map(({ method, url, headers }) => [method, url, headers.authorization]),
      [['GET', '/cacerts', undefined]],
    );
    assert.doesNotMatch(server.heard(), /secret|authorization/i);
  });

  it('refuses a server that shows the right CA but has no certificate of it', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    using impostor = await TestServerFiles.create();
    const server = await startBadServer(life, impostor.serving, serves(cluster.ca));
    const token = cluster.token('agent');
    await assert.rejects(pinAuthority({ ...common, address: server.address, token }), { code: 'server-untrusted' });
    assert.equal(server.requests.length, 1);
    // Whoever goes on with what was pinned finds out before anything is sent.
    using pinned = await pinServer({ ...common, address: server.address, token });
    using client = createSupervisorClient({
      ...{ addresses: [server.address], ca: pinned.ca, agent: pinned.agent, nodeName: 'node-2', signal: never },
      token: { credential: token.credential, role: 'agent' },
    });
    await assert.rejects(client.ready(), { code: 'server-untrusted' });
    assert.equal(server.requests.length, 2);
    assert.doesNotMatch(server.heard(), /secret|authorization/i);
  });

  it('believes a bundle, of which the token names one root alone, only from a server that was verified by that one', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    using other = await TestServerFiles.create();
    const root = certificateInfo(cluster.ca);
    const token: ParsedToken = { ...cluster.token('agent'), caHash: createHash('sha256').update(root.der).digest('hex') };
    const server = await startBadServer(life, cluster.serving, serves(cluster.ca + other.ca));
    using pinned = await pinServer({ ...common, address: server.address, token });
    assert.equal(pinned.ca, cluster.ca + other.ca);
    assert.equal(server.requests.length, 2);
  });

  it('refuses a root that was slipped into a bundle, although the hash speaks of the bundle’s other root', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    using impostor = await TestServerFiles.create();
    const root = certificateInfo(cluster.ca);
    const token: ParsedToken = { ...cluster.token('agent'), caHash: createHash('sha256').update(root.der).digest('hex') };
    const bundle = cluster.ca + impostor.ca;
    assert.equal(caHash(bundle), token.caHash);
    const server = await startBadServer(life, impostor.serving, serves(bundle));
    await assert.rejects(pinAuthority({ ...common, address: server.address, token }), { code: 'server-untrusted' });
  });

  it('believes the server under a short token, and says how the full one begins, without the secret', async () => {
    await using life = new Life();
    const { address, files } = await startTestSupervisor(life);
    const { log, lines } = memoryLog();
    const token: ParsedToken = { credential: { kind: 'password', password: 'a-short-secret' } };
    assert.equal(await pinAuthority({ ...common, address, token, log }), files.ca);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', new RegExp(`warn .*K10${caHash(files.ca)}::`));
    assert.doesNotMatch(lines.join(), /a-short-secret/);
  });

  it('goes by the CA on the disk on a node that has joined, with or without a token', async () => {
    await using life = new Life();
    const { address, files } = await startTestSupervisor(life);
    assert.equal(await pinAuthority({ ...common, address, token: undefined, known: files.ca }), files.ca);
    assert.equal(await pinAuthority({ ...common, address, token: files.token('agent'), known: files.ca }), files.ca);
  });

  it('refuses a server of another cluster on a node that has joined, naming both hashes', async () => {
    await using life = new Life();
    const { address, files } = await startTestSupervisor(life);
    using own = await TestServerFiles.create();
    await assert.rejects(pinAuthority({ ...common, address, token: undefined, known: own.ca }), (error: RfoError) => {
      assert.equal(error.code, 'cluster-differs');
      assert.match(error.message, new RegExp(`${caHash(own.ca)}, but https://127.0.0.1:${address.port} shows the CA ${caHash(files.ca)}`));
      return true;
    });
  });

  it('refuses the token of another cluster on a node that has joined before it asks anybody', async () => {
    await using life = new Life();
    using own = await TestServerFiles.create();
    using other = await TestServerFiles.create();
    const server = await startBadServer(life, other.serving, serves(other.ca));
    const pinning = pinAuthority({ ...common, address: server.address, token: other.token('agent'), known: own.ca });
    await assert.rejects(pinning, { code: 'cluster-differs', message: new RegExp(`the token names ${caHash(other.ca)}`) });
    assert.equal(server.requests.length, 0);
  });

  it('calls an answer that is no certificate unusable, and a server that is down unreachable', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    const token = cluster.token('agent');
    const server = await startBadServer(life, cluster.serving, serves('<html>welcome</html>'));
    await assert.rejects(pinAuthority({ ...common, address: server.address, token }), { code: 'server-answer-invalid' });
    await assert.rejects(pinAuthority({ ...common, address: await closedAddress(), token }), {
      code: 'server-unreachable',
      retryable: true,
    });
  });

  it('does not wait for ever for a server that says nothing', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    const server = await startBadServer(life, cluster.serving, () => undefined);
    const pinning = pinAuthority({ ...common, address: server.address, token: cluster.token('agent'), timeout: 200 });
    await assert.rejects(pinning, { code: 'server-unreachable', message: /does not answer within 0.2 s/ });
  });

  it('ends with its signal', async () => {
    await using life = new Life();
    using cluster = await TestServerFiles.create();
    const controller = new AbortController();
    const server = await startBadServer(life, cluster.serving, () => controller.abort(new Error('over')));
    const pinning = pinAuthority({ ...common, address: server.address, token: cluster.token('agent'), signal: controller.signal });
    await assert.rejects(pinning, { message: 'over' });
  });
});
