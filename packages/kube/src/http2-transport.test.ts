import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createCredentialReader } from './credentials.ts';
import { createHttp2Transport } from './http2-transport.ts';
import { readText } from './json-lines.ts';
import { issue, makeAuthority } from './testing/certificates.ts';

describe('requests over HTTP/2', () => {
  it('share a connection, and open another where its streams are used up', async (t) => {
    const { transport, sessions } = await start(t, { maxConcurrentStreams: 12, answer: (stream) => stream.respond({ ':status': 200 }) });
    const get = () => transport.request({ method: 'GET', path: '/', idle: 10_000 });
    for (let open = 0; open < 4; open += 1) await get();
    assert.equal(sessions.length, 1);
    await get();
    assert.equal(sessions.length, 2);
  });

  it('are sent again when the server went away before it looked at them', async (t) => {
    let asked = 0;
    const { transport, sessions } = await start(t, {
      answer: (stream) => {
        asked += 1;
        if (asked === 1) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
        stream.respond({ ':status': 200 });
        stream.end('answered');
      },
    });
    const response = await transport.request({ method: 'POST', path: '/', idle: 10_000, body: '{}' });
    assert.equal(await readText(response.body), 'answered');
    assert.deepEqual([asked, sessions.length], [2, 1]);
  });

  it('use a new connection after the server has announced that it goes, and let the old one end its work', async (t) => {
    const streams: ServerHttp2Stream[] = [];
    const { transport, sessions } = await start(t, {
      answer: (stream) => {
        streams.push(stream);
        stream.respond({ ':status': 200 });
      },
    });
    const get = () => transport.request({ method: 'GET', path: '/', idle: 10_000 });
    const first = await get();
    // The server's session closes for new streams; its client hears of it by the ping's answer, which comes after the GOAWAY.
    sessions[0]?.goaway(constants.NGHTTP2_NO_ERROR, streams[0]?.id ?? 0);
    await new Promise((resolve) => sessions[0]?.ping(resolve));
    await get();
    assert.equal(sessions.length, 2);
    streams[0]?.end('finished');
    assert.equal(await readText(first.body), 'finished');
  });

  it('that break amid the answer are no whole answer', async (t) => {
    const { transport } = await start(t, {
      answer: (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('half', () => stream.session?.socket.destroy());
      },
    });
    const response = await transport.request({ method: 'GET', path: '/', idle: 10_000 });
    await assert.rejects(readText(response.body), { code: 'kube-unreachable' });
  });

  it('break as soon when they run in a stream that could still be written to', { timeout: 30_000 }, async (t) => {
    const { server, ca } = await start(t, {
      answer: (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('half', () => stream.session?.socket.destroy());
      },
    });
    const open = async () => connect({ host: '127.0.0.1', port: Number(new URL(server).port), allowHalfOpen: true });
    const transport = createHttp2Transport({ server, credentials: createCredentialReader({ ca: { file: ca } }), open });
    t.after(() => transport.close());
    const response = await transport.request({ method: 'GET', path: '/', idle: 60_000 });
    await assert.rejects(readText(response.body), { code: 'kube-unreachable' });
  });

  it('fail when no byte comes for as long as they may wait', async (t) => {
    const { transport } = await start(t, { answer: () => undefined });
    await assert.rejects(transport.request({ method: 'GET', path: '/', idle: 50 }), /no answer within 0\.05 s/);
  });

  it('need a server whose certificate is of the CA', async (t) => {
    const { server, folder } = await start(t, { answer: (stream) => stream.respond({ ':status': 200 }, { endStream: true }) });
    const other = await mkdtemp(join(folder, 'other-'));
    const stranger = createHttp2Transport({ server, credentials: createCredentialReader({ ca: { file: makeAuthority(other) } }) });
    await assert.rejects(stranger.request({ method: 'GET', path: '/', idle: 10_000 }), { code: 'kube-unreachable' });
    stranger.close();
  });
});

type Options = { readonly answer: (stream: ServerHttp2Stream) => void; readonly maxConcurrentStreams?: number };

async function start(t: TestContext, { answer, maxConcurrentStreams = 100 }: Options) {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-http2-'));
  t.after(() => rm(folder, { recursive: true }));
  const ca = makeAuthority(folder);
  const { cert, key } = issue(folder, 'server', { subject: '/CN=server', altNames: 'IP:127.0.0.1' });
  const listener = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), settings: { maxConcurrentStreams } });
  const sessions: ServerHttp2Session[] = [];
  listener.on('session', (session) => sessions.push(session));
  listener.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  const server = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const transport = createHttp2Transport({ server, credentials: createCredentialReader({ ca: { file: ca } }) });
  t.after(() => {
    transport.close();
    for (const session of sessions) session.destroy();
    listener.close();
  });
  return { transport, server, ca, sessions, folder };
}
