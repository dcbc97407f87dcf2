import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { type Lab, type Person, startPeople } from './front-door.testing.ts';
import { type Answer, type Ask, askAt, closed, codeOf, readToEnd, readUntil, seenBy, within } from './requests.testing.ts';

let lab: Lab;
let alice: Person;

before(async () => {
  ({ lab, alice } = await startPeople());
});
after(() => lab?.stop());

const ask = (...request: Ask): Promise<Answer> => askAt(lab, ...request);

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
    const held = once(lab.arrived, 'request', within(30_000));
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
    const begun = once(lab.arrived, 'request', within(30_000));
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
      lab.arrived.on('request', count).on('upgrade', count);
      const socket = await lab.raw();
      // What refuses a path alone may keep the connection.
      socket.write(`${[...lines(), ...(body === '' ? ['Connection: close', 'Content-Length: 0'] : [])].join('\r\n')}\r\n\r\n${body}`);
      const answer = await readToEnd(socket);
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      assert.equal(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, answer);
      assert.equal(reached, 0, 'nothing reached the server behind');
      lab.arrived.off('request', count).off('upgrade', count);
    });
  }
});
