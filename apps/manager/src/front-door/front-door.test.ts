import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, on, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { retry } from '@rfo/foundation';
import type { AuditRecord } from '../audit/types.ts';
import { closed, type Lab, type Person, readToEnd, readUntil, startLab } from './front-door.testing.ts';

let lab: Lab;
let admin: Person;
let alice: Person;
let bob: Person;

/** What reached the server behind. */
const arrived = new EventEmitter();
const upgraded = new Set<Duplex>();

before(async () => {
  lab = await startLab();
  admin = await lab.person('root', { administrator: true });
  alice = await lab.person('alice');
  bob = await lab.person('bob');
  await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer' });
  serveEcho();
});
after(async () => {
  await lab?.stop();
});

const within = (milliseconds: number) => ({ signal: AbortSignal.timeout(milliseconds) });

function serveEcho(): void {
  lab.echo.on('request', (request, response) => {
    arrived.emit('request', request, response);
    const { url = '' } = request;
    if (url.startsWith('/held')) return;
    if (url.startsWith('/watch')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      return;
    }
    if (url.startsWith('/odd')) {
      response.writeHead(302, {
        'set-cookie': '__Host-rfo-session=x',
        location: '/login',
        'access-control-allow-origin': '*',
        'www-authenticate': 'Basic',
        'x-fine': '1',
      });
      response.end();
      return;
    }
    if (url.startsWith('/elsewhere')) return void response.writeHead(307, { location: 'https://example.com/' }).end();
    if (url.startsWith('/unauthorized')) return void response.writeHead(401).end('no');
    const hash = createHash('sha256');
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
    });
    request.on('end', () => response.end(JSON.stringify({ url, headers: request.rawHeaders, bytes, hash: hash.digest('hex') })));
  });
  lab.echo.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    arrived.emit('upgrade', request, socket, head);
    upgraded.add(socket);
    socket.on('error', () => undefined).once('close', () => upgraded.delete(socket));
    if (request.url?.includes('/forbidden/')) {
      socket.write('HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nhello`,
    );
    socket.pipe(socket);
  });
}

type Answer = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly text: string };

/** A request by Node's own client. */
function ask(
  person: Person | undefined,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        ...{ host: '127.0.0.1', port: lab.port, ca: lab.ca, method, path: `/k8s/clusters/${path}`, agent: false },
        headers: { ...(person && { authorization: `Bearer ${person.credential}` }), ...headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })).on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const codeOf = ({ text }: Answer): unknown => JSON.parse(text).details.causes[0].reason;
/** What the server behind saw of the headers, by turns. */
const seenBy = ({ text }: Answer): [string, string][] => {
  const raw = JSON.parse(text).headers as string[];
  return raw.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? '']] : []));
};
const upgradeLines = (person: Person, path: string, ...more: string[]): string =>
  [
    `POST /k8s/clusters/echo${path} HTTP/1.1`,
    ...[
      'Host: manager',
      `Authorization: Bearer ${person.credential}`,
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      'X-Stream-Protocol-Version: v4.channel.k8s.io',
    ],
    ...[...more, '', ''],
  ].join('\r\n');

async function recorded(wanted: (record: AuditRecord) => boolean): Promise<void> {
  for await (const [record] of on(lab.records, 'record', within(30_000))) if (wanted(record as AuditRecord)) return;
}

async function entries(query: Parameters<Lab['audit']['search']>[0]) {
  // A kind that is new is refused for a moment.
  await retry(() => lab.audit.flush(), { initial: 20, max: 200, ...within(10_000) });
  return await Array.fromAsync(lab.audit.search(query));
}

describe('kubectl through the front door', () => {
  it('is the user himself, with all of his groups', async () => {
    const { out } = await lab.kubectl(alice, 'auth', 'whoami', '-o', 'json');
    const { userInfo } = JSON.parse(out).status;
    assert.equal(userInfo.username, `rfo:${alice.name}`);
    assert.deepEqual(
      userInfo.groups.toSorted(),
      ['rfo:project:team:member', 'rfo:role:user', 'rfo:users', 'system:authenticated'].toSorted(),
    );
    assert.deepEqual(userInfo.extra, { 'rfo.io/username': ['alice'], 'rfo.io/token-id': [alice.tokenId] });
  });

  it('does what his rights allow, and no more', async () => {
    const made = await lab.kubectl(alice, '-n', 'team', 'create', 'configmap', 'made', '--from-literal=a=b');
    assert.equal(made.code, 0, made.err);
    assert.equal((await lab.kubectl(bob, '-n', 'team', 'get', 'configmap', 'made', '-o', 'jsonpath={.data.a}')).out, 'b');
    const refused = await lab.kubectl(bob, '-n', 'team', 'delete', 'configmap', 'made');
    assert.match(refused.err, /Forbidden.*cannot delete resource "configmaps"/);
    const account = await lab.kubectl(alice, '-n', 'team', 'create', 'serviceaccount', 'robot');
    assert.equal(account.code, 0, account.err);
    const token = await lab.kubectl(alice, '-n', 'team', 'create', 'token', 'robot');
    assert.equal(token.out.split('.').length, 3, token.err);
    const applied = await lab.kubectl(admin, 'create', 'namespace', 'by-root');
    assert.equal(applied.code, 0, applied.err);
  });

  it('is himself too where the manager acts by a certificate', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(review) };
    const { status, text } = await ask(admin, 'local/apis/authentication.k8s.io/v1/selfsubjectreviews', options);
    assert.equal(status, 201, text);
    assert.equal(JSON.parse(text).status.userInfo.username, `rfo:${admin.name}`);
    assert.equal(codeOf(await ask(alice, 'local/version')), 'cluster-forbidden');
  });

  it('watches, and is told at once', async () => {
    const watching = await lab.follow(bob, '-n', 'team', 'get', 'configmaps', '--watch', '-o', 'name');
    await lab.kubectl(alice, '-n', 'team', 'create', 'configmap', 'seen-1');
    await watching.said('seen-1');
    watching.end();
    await watching.ended;
  });

  it('is told what is wrong in the words of Kubernetes', async () => {
    const other = await lab.person('mallory');
    const { err } = await lab.kubectl(other, 'get', 'pods');
    assert.match(err, /mallory may not enter cluster prod/);
    const unknown = await lab.kubectl(
      { ...other, credential: other.credential.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')) },
      'get',
      'pods',
    );
    assert.match(unknown.err, /Unauthorized|credentials are not accepted/);
    assert.equal((await ask(undefined, 'prod/api')).status, 401);
    assert.equal((await ask(admin, 'prod/api', { headers: { authorization: 'Bearer nonsense' } })).status, 401);
  });

  it('works again when the API server was restarted, though connections to it were kept', async () => {
    assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
    await lab.cluster.killApiServer();
    const down = await ask(alice, 'prod/version');
    assert.equal(down.status, 502);
    await lab.cluster.startApiServer();
    assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
  });
});

describe('acting as somebody else', () => {
  const whoami = async (person: Person, ...as: string[]) => {
    const { code, out, err } = await lab.kubectl(person, 'auth', 'whoami', '-o', 'json', ...as);
    return { err, user: code === 0 ? JSON.parse(out).status.userInfo : undefined };
  };
  const tryAs = (person: Person, user: string, ...groups: string[]): Promise<Answer> =>
    ask(person, 'prod/version', { headers: { 'Impersonate-User': user, 'Impersonate-Group': groups } });

  it('takes the right to it, each group for itself', async () => {
    const carol = await lab.person('carol');
    await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer', [carol.name]: 'cluster-manager' });
    const { user, err } = await whoami(carol, '--as=bob', '--as-group=builders', '--as-group=testers');
    assert.equal(user?.username, 'bob', err);
    assert.deepEqual(user.groups.toSorted(), ['builders', 'system:authenticated', 'testers']);
    // Who it really was can be read in the cluster's own audit log.
    assert.deepEqual(user.extra['rfo.io/username'], ['carol']);
    assert.equal((await tryAs(carol, 'bob', 'testers')).status, 200);
    for (const [name = '', ...groups] of [
      ['eve'],
      ['bob', 'strangers'],
      ['bob', 'builders', 'strangers'],
      ['bob', 'system:masters'],
      [`rfo:${admin.name}`],
      ['bob', 'rfo:role:administrator'],
      ['system:serviceaccount:team:robot'],
    ]) {
      const refused = await tryAs(carol, name, ...groups);
      assert.deepEqual([refused.status, codeOf(refused)], [403, 'impersonation-forbidden'], [name, ...groups].join(' '));
    }
    assert.match((await lab.kubectl(alice, 'get', '--raw=/version', '--as=bob')).err, /alice may not act as user bob/);
  });

  it('keeps what makes an administrator to administrators, whatever a cluster allows', async () => {
    const dave = await lab.person('dave');
    await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer', [dave.name]: 'owner' });
    assert.equal((await tryAs(dave, 'anybody', 'developers')).status, 200);
    for (const [name = '', ...groups] of [['x', 'system:masters'], ['x', 'rfo:role:administrator'], [`rfo:${admin.name}`]]) {
      assert.equal(codeOf(await tryAs(dave, name, ...groups)), 'impersonation-forbidden', [name, ...groups].join(' '));
    }
    assert.equal((await tryAs(admin, 'x', 'system:masters')).status, 200);
    const extra = await ask(admin, 'prod/version', {
      headers: { 'Impersonate-User': 'x', 'Impersonate-Extra-rfo.io%2Fusername': 'alice' },
    });
    assert.equal(codeOf(extra), 'impersonation-forbidden');
    assert.equal(codeOf(await ask(admin, 'prod/version', { headers: { 'Impersonate-Group': 'x' } })), 'impersonation-invalid');
  });
});

describe('a token with limits', () => {
  it('that may only read does not run anything, by GET neither', async () => {
    const reader = await lab.person('alice', { readOnly: true });
    assert.equal((await ask(reader, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
    const made = await ask(reader, 'prod/api/v1/namespaces/team/configmaps', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(codeOf(made), 'token-read-only');
    assert.equal(codeOf(await ask(reader, 'prod/api/v1/namespaces/team/services/s/proxy/do')), 'token-read-only');
    const socket = await lab.raw();
    const webSocket = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ];
    const path = '/k8s/clusters/echo/api/v1/namespaces/team/pods/p/exec?command=sh';
    socket.write(
      [`GET ${path} HTTP/1.1`, 'Host: manager', `Authorization: Bearer ${reader.credential}`, ...webSocket, '', ''].join('\r\n'),
    );
    const answer = await readToEnd(socket);
    assert.match(answer, /^HTTP\/1\.1 403 /);
    assert.match(answer, /token-read-only/);
  });

  it('is good for the clusters that it names alone', async () => {
    const narrow = await lab.person('alice', { clusters: ['echo'] });
    assert.equal((await ask(narrow, 'echo/x')).status, 200);
    assert.equal(codeOf(await ask(narrow, 'prod/version')), 'token-elsewhere');
  });
});

describe('what goes on to a cluster', () => {
  it('says who it is in our words alone', async () => {
    const answer = await ask(alice, 'echo/api/v1/pods', {
      headers: {
        ...{
          'X-Remote-User': 'root',
          'X-Remote-Group': 'system:masters',
          'X_Remote_User': 'root',
          'X-Forwarded-For': '1.2.3.4',
          'Forwarded': 'for=1.2.3.4',
        },
        ...{
          'X-Real-IP': '1.2.3.4',
          'Cookie': 'a=b',
          'X-Rfo-Csrf': 'x',
          'Proxy-Authorization': 'Basic eDp5',
          'TE': 'trailers',
          'Keep-Alive': 'timeout=5',
        },
        ...{ 'Connection': 'close, X-Hop', 'X-Hop': '1', 'X-Fine': '1' },
        'Sec-WebSocket-Protocol': 'base64url.bearer.authorization.k8s.io.c2VjcmV0, v5.channel.k8s.io',
      },
    });
    const seen = seenBy(answer);
    assert.deepEqual(seen.map(([name]) => name).toSorted(), [
      ...['authorization', 'connection', 'host', 'impersonate-extra-rfo.io%2ftoken-id', 'impersonate-extra-rfo.io%2fusername'],
      ...[
        'impersonate-group',
        'impersonate-group',
        'impersonate-group',
        'impersonate-group',
        'impersonate-user',
        'sec-websocket-protocol',
        'x-fine',
      ],
    ]);
    const all = JSON.stringify(seen);
    assert.ok(!all.includes(alice.credential), 'the token of the user stays here');
    assert.ok(!all.includes('c2VjcmV0'));
    assert.deepEqual(
      seen.filter(([name]) => name === 'impersonate-user'),
      [['impersonate-user', `rfo:${alice.name}`]],
    );
  });

  it('uses connections again for plain requests', async () => {
    await ask(alice, 'echo/x');
    const before = lab.dialled('echo');
    for (let round = 0; round < 10; round++) assert.equal((await ask(alice, 'echo/x')).status, 200);
    assert.equal(lab.dialled('echo'), before);
  });

  it('brings back nothing that would speak for the manager itself', async () => {
    const { status, headers } = await ask(alice, 'echo/odd');
    assert.equal(status, 302);
    assert.equal(headers.location, '/k8s/clusters/echo/login');
    for (const name of ['set-cookie', 'access-control-allow-origin', 'www-authenticate']) assert.equal(headers[name], undefined, name);
    assert.equal(headers['content-security-policy'], 'sandbox');
    assert.equal(headers['x-fine'], '1');
    assert.equal(codeOf(await ask(alice, 'echo/elsewhere')), 'cluster-answer-refused');
    // The credential of the agent, not that of the user.
    assert.equal(codeOf(await ask(alice, 'echo/unauthorized')), 'cluster-refuses-agent');
  });

  it('takes a large body no faster than it is read, and whole', async () => {
    const size = 24 * 1024 * 1024;
    const body = randomBytes(size);
    const held = once(arrived, 'request', within(30_000));
    const socket = await lab.raw();
    socket.write(
      `POST /k8s/clusters/echo/held HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer ${alice.credential}\r\nContent-Length: ${size}\r\n\r\n`,
    );
    const sent = new Promise<void>((resolve) => socket.write(body, () => resolve()));
    const [request, response] = (await held) as [IncomingMessage, { end: (text: string) => void }];
    const early = await Promise.race([sent.then(() => 'all of it'), once(request, 'readable', within(30_000)).then(() => 'some of it')]);
    assert.equal(early, 'some of it', 'the manager does not hold what nobody reads');
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk as Buffer);
    await sent;
    response.end('read');
    assert.match(await readUntil(socket, 'read'), /^HTTP\/1\.1 200 /);
    assert.equal(hash.digest('hex'), createHash('sha256').update(body).digest('hex'));
    socket.destroy();
  });

  it('asks for the body only when the server behind wants it', async () => {
    const socket = await lab.raw();
    const head = (path: string) =>
      `POST /k8s/clusters/${path} HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer ${alice.credential}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
    socket.write(head('echo/x'));
    await readUntil(socket, '100 Continue\r\n\r\n');
    socket.write('hello');
    assert.match(await readUntil(socket, '"bytes":5'), /HTTP\/1\.1 200 /);
    socket.destroy();
  });

  it('ends with its client', async () => {
    const begun = once(arrived, 'request', within(30_000));
    const socket = await lab.raw();
    socket.write(`GET /k8s/clusters/echo/watch HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer ${alice.credential}\r\n\r\n`);
    const [request] = (await begun) as [IncomingMessage];
    await readUntil(socket, '\r\n\r\n');
    socket.destroy();
    await closed(request.socket);
  });
});

describe('what could be understood in two ways', () => {
  const line = (path: string): string[] => [`POST ${path} HTTP/1.1`, 'Host: m', `Authorization: Bearer ${alice.credential}`];
  const smuggled = `GET /k8s/clusters/echo/smuggled HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer x\r\n\r\n`;
  const table: readonly [name: string, lines: () => string[], body: string][] = [
    ['both lengths', () => [...line('/k8s/clusters/echo/x'), 'Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`],
    ['two lengths', () => [...line('/k8s/clusters/echo/x'), 'Content-Length: 0', `Content-Length: ${smuggled.length}`], smuggled],
    ['a list of lengths', () => [...line('/k8s/clusters/echo/x'), 'Content-Length: 0, 0'], smuggled],
    ['another coding', () => [...line('/k8s/clusters/echo/x'), 'Transfer-Encoding: chunked, identity'], `0\r\n\r\n${smuggled}`],
    [
      'two codings',
      () => [...line('/k8s/clusters/echo/x'), 'Transfer-Encoding: chunked', 'Transfer-Encoding: cow'],
      `0\r\n\r\n${smuggled}`,
    ],
    ['a space before the colon', () => [...line('/k8s/clusters/echo/x'), 'Transfer-Encoding : chunked'], `0\r\n\r\n${smuggled}`],
    ['a folded header', () => [...line('/k8s/clusters/echo/x'), 'X: a', ' Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`],
    ['an odd name', () => [...line('/k8s/clusters/echo/x'), 'Transfer_Encoding: chunked', 'Content-Length: 0'], smuggled],
    [
      'chunks in HTTP/1.0',
      () => [line('/k8s/clusters/echo/x')[0]?.replace('1.1', '1.0') ?? '', ...line('').slice(1), 'Transfer-Encoding: chunked'],
      `0\r\n\r\n${smuggled}`,
    ],
    [
      'an upgrade with a body',
      () => [...line('/k8s/clusters/echo/x'), 'Connection: Upgrade', 'Upgrade: SPDY/3.1', `Content-Length: ${smuggled.length}`],
      smuggled,
    ],
    ['an upgrade to another protocol', () => [...line('/k8s/clusters/echo/x'), 'Connection: Upgrade', 'Upgrade: h2c'], smuggled],
    ['TRACE', () => ['TRACE /k8s/clusters/echo/x HTTP/1.1', ...line('').slice(1)], smuggled],
    ['dots', () => line('/k8s/clusters/echo/../../../api/v1/users'), ''],
    ['encoded dots', () => line('/k8s/clusters/echo/%2e%2e/prod/api'), ''],
    ['an encoded slash', () => line('/k8s/clusters/echo/api%2fv1'), ''],
    ['an empty segment', () => line('/k8s/clusters/echo//api'), ''],
    ['a whole URL', () => line('https://manager/k8s/clusters/echo/x'), ''],
  ];
  for (const [name, lines, body] of table) {
    it(`is refused and closes the connection: ${name}`, async () => {
      let reached = 0;
      const count = (): void => void reached++;
      arrived.on('request', count).on('upgrade', count);
      const socket = await lab.raw();
      // What refuses a path alone may keep the connection.
      socket.write(`${[...lines(), ...(body === '' ? ['Connection: close', 'Content-Length: 0'] : [])].join('\r\n')}\r\n\r\n${body}`);
      const answer = await readToEnd(socket);
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      assert.equal(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, answer);
      assert.equal(reached, 0, 'nothing reached the server behind');
      arrived.off('request', count).off('upgrade', count);
    });
  }
});

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
    const begun = once(arrived, 'upgrade', within(30_000));
    let requests = 0;
    const count = (): void => void requests++;
    arrived.on('request', count);
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
    arrived.off('request', count);
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
    assert.ok((await entries({})).some(({ code }) => code === 'impersonation-forbidden'));
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
