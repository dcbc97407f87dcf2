import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { retry } from '@rfo/foundation';
import type { AuditEntry, AuditQuery, AuditRecord } from '../audit/types.ts';
import { type Lab, type Person, startPeople } from './front-door.testing.ts';
import {
  type Answer,
  type Ask,
  askAt,
  closed,
  codeOf,
  entriesOf,
  readToEnd,
  readUntil,
  recordedAt,
  upgradeLines,
  within,
} from './requests.testing.ts';

let lab: Lab;
let admin: Person;
let alice: Person;
let bob: Person;

before(async () => {
  ({ lab, admin, alice, bob } = await startPeople());
});
after(() => lab?.stop());

const ask = (...request: Ask): Promise<Answer> => askAt(lab, ...request);
const recorded = (wanted: (record: AuditRecord) => boolean): Promise<void> => recordedAt(lab, wanted);
const entries = (query: AuditQuery): Promise<AuditEntry[]> => entriesOf(lab, query);

describe('an upgraded connection', () => {
  const exec = '/api/v1/namespaces/team/pods/p/exec?command=mysql&command=--password%3Dgeheim&container=c';

  it('passes all bytes in both directions, also those that come with the answer', async () => {
    const socket = await lab.raw();
    socket.write(upgradeLines(alice, exec));
    const answer = await readUntil(socket, 'hello');
    assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(answer, /\r\nupgrade: SPDY\/3\.1\r\n/i);
    assert.match(answer, /\r\nx-stream-protocol-version: v4\.channel\.k8s\.io\r\n/i);
    const data = randomBytes(4 * 1024 * 1024);
    const hash = createHash('sha256');
    let bytes = 0;
    const back = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        bytes += chunk.length;
        if (bytes >= data.length) resolve();
      });
    });
    socket.write(data);
    await back;
    assert.equal(hash.digest('hex'), createHash('sha256').update(data).digest('hex'));
    const over = recorded(({ stage }) => stage === 'ended');
    socket.end();
    await readToEnd(socket);
    await over;
    const [ended, begun] = await entries({ verb: 'exec', limit: 2 });
    assert.deepEqual([begun?.stage, begun?.status, ended?.stage, ended?.result], ['begun', 101, 'ended', 'done']);
    assert.deepEqual(
      [begun?.user, begun?.cluster, begun?.namespace, begun?.name, begun?.container],
      [alice.name, 'echo', 'team', 'p', 'c'],
    );
    assert.deepEqual(begun?.command, ['mysql', '--password=•••']);
  });

  it("is nobody else's when it was refused, and what was sent behind it reaches nobody", async () => {
    const begun = once(lab.arrived, 'upgrade', within(30_000));
    let requests = 0;
    const count = (): void => void requests++;
    lab.arrived.on('request', count);
    const socket = await lab.raw();
    const behind = `GET /api/v1/secrets HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(upgradeLines(alice, '/api/v1/namespaces/team/pods/forbidden/exec') + behind);
    const [, upstream, head] = (await begun) as [IncomingMessage, Socket, Buffer];
    const more: Buffer[] = [head];
    upstream.on('data', (chunk: Buffer) => more.push(chunk));
    const upstreamClosed = closed(upstream);
    socket.on('data', () => socket.writable && socket.write(behind));
    const answer = await readToEnd(socket);
    await upstreamClosed;
    assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.match(answer, /\r\nconnection: close\r\n/);
    assert.equal(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, 'one answer and no more');
    assert.equal(Buffer.concat(more).toString(), '', 'nothing was sent on behind the refused request');
    assert.equal((await ask(bob, 'echo/x')).status, 200);
    assert.equal(requests, 1);
    lab.arrived.off('request', count);
  });
});

describe('what is going on ends within a second', () => {
  const opened: Duplex[] = [];
  after(() => {
    for (const each of opened) each.destroy();
  });
  const open = async (person: Person) => {
    const socket = await lab.raw();
    socket.write(upgradeLines(person, '/api/v1/namespaces/team/pods/p/attach'));
    await readUntil(socket, 'hello');
    const watch = await lab.raw();
    watch.write(
      `GET /k8s/clusters/prod/api/v1/namespaces/team/configmaps?watch=true HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer ${person.credential}\r\n\r\n`,
    );
    assert.match(await readUntil(watch, '"kind":"ConfigMap"'), /^HTTP\/1\.1 200 /);
    for (const each of [socket, watch]) each.resume();
    opened.push(socket, watch);
    return [closed(socket), closed(watch)];
  };
  const timed = async (closing: Promise<unknown>[], act: () => Promise<unknown>): Promise<void> => {
    await act();
    const began = performance.now();
    await Promise.all(closing);
    const took = performance.now() - began;
    assert.ok(took < 1000, `${Math.round(took)} ms`);
  };

  it('when the token is deleted', async () => {
    const person = await lab.person('alice');
    const closing = await open(person);
    await timed(closing, () => lab.identity.deleteToken(person.tokenId));
    assert.equal((await ask(person, 'prod/version')).status, 401);
  });

  it('when the user is disabled, kubectl too', async () => {
    const erin = await lab.person('erin');
    await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer', [erin.name]: 'member' });
    const closing: Promise<unknown>[] = await open(erin);
    const kubectl = await lab.follow(erin, '-n', 'team', 'get', 'configmaps', '--watch', '-o', 'name');
    await kubectl.said('configmap/');
    await timed([...closing, kubectl.ended], () => lab.identity.disable(erin.name));
  });

  it('when he is no member any more, and others go on', async () => {
    const frank = await lab.person('frank');
    await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer', [frank.name]: 'member' });
    const others = await open(alice);
    let left = false;
    for (const each of others) void each.then(() => (left = true)).catch(() => undefined);
    const closing = await open(frank);
    await timed(closing, () => lab.members({ [alice.name]: 'member', [bob.name]: 'viewer' }));
    assert.equal(left, false);
    assert.equal(codeOf(await ask(frank, 'prod/version')), 'cluster-forbidden');
  });
});

it('a watch ends as at an API server when its replica ends, and what is no watch goes on', async () => {
  const [watch, shell] = await Promise.all([lab.raw(), lab.raw()]);
  const lines = ['Host: m', `Authorization: Bearer ${alice.credential}`, '', ''].join('\r\n');
  watch.write(`GET /k8s/clusters/prod/api/v1/namespaces/team/configmaps?watch=true HTTP/1.1\r\n${lines}`);
  shell.write(upgradeLines(alice, '/api/v1/namespaces/team/pods/p/attach'));
  await Promise.all([readUntil(watch, '"kind":"ConfigMap"'), readUntil(shell, 'hello')]);
  const ended = readUntil(watch, '0\r\n\r\n');
  lab.endWatches();
  await ended;
  shell.write('still here');
  await readUntil(shell, 'still here');
  for (const each of [watch, shell]) each.destroy();
});

describe('the audit log', () => {
  it('tells of changes with their outcome, of secrets read, and of what was refused', async () => {
    const made = await lab.kubectl(alice, '-n', 'team', 'create', 'configmap', 'told', '--from-literal=a=b');
    assert.equal(made.code, 0, made.err);
    await lab.kubectl(bob, '-n', 'team', 'delete', 'configmap', 'told');
    await lab.kubectl(alice, '-n', 'team', 'get', 'secrets');
    await lab.kubectl(alice, '-n', 'team', 'get', 'configmaps');
    const from = (await entries({ text: 'told' })).map(({ user, verb, resource, namespace, name, result, status }) => [
      user,
      verb,
      resource,
      namespace,
      name,
      result,
      status,
    ]);
    assert.deepEqual(from, [
      [bob.name, 'delete', 'configmaps', 'team', 'told', 'refused', 403],
      [alice.name, 'create', 'configmaps', 'team', 'told', 'done', 201],
    ]);
    const [secrets] = await entries({ user: 'alice', text: 'secrets', limit: 1 });
    assert.deepEqual([secrets?.verb, secrets?.result, secrets?.token], ['list', 'done', alice.tokenId]);
    assert.deepEqual(
      (await entries({ cluster: 'prod' })).filter(({ verb, resource }) => verb === 'list' && resource === 'configmaps'),
      [],
    );
    await ask(alice, 'local/version');
    const [refused] = await entries({ cluster: 'local', limit: 1 });
    assert.deepEqual([refused?.user, refused?.verb, refused?.result, refused?.code], [alice.name, 'get', 'refused', 'cluster-forbidden']);
  });

  it('tells of a watch of secrets when it begins, and why it ended', async () => {
    const person = await lab.person('alice');
    const begun = recorded(({ stage, resource }) => stage === 'begun' && resource === 'secrets');
    const socket = await lab.raw();
    socket.write(
      `GET /k8s/clusters/prod/api/v1/namespaces/team/secrets?watch=true HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer ${person.credential}\r\n\r\n`,
    );
    socket.resume();
    await begun;
    const ended = recorded(({ stage, code }) => stage === 'ended' && code === 'access-withdrawn');
    await lab.identity.deleteToken(person.tokenId);
    await ended;
    await closed(socket);
  });

  it('holds no token, and neither does the log of the manager', async () => {
    const all = (await Array.fromAsync(lab.audit.exportLines({}))).join('') + lab.lines.join('');
    for (const { credential } of [admin, alice, bob]) assert.ok(!all.includes(credential.split('_').at(-1) ?? ''));
    assert.ok(!all.includes('geheim'));
  });
});

it('leaves nothing open', async () => {
  const check = async (): Promise<void> => assert.equal(lab.open(), 0);
  await retry(check, { initial: 5, max: 50, ...within(5000) });
});
