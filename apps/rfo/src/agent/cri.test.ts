import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkCri, waitForCri } from './cri.ts';

describe('container runtime', () => {
  test('answers when its status is 0', async () => {
    await withRuntime({ 'grpc-status': '0' }, async (socket, calls) => {
      await checkCri(socket, AbortSignal.timeout(90_000));
      assert.equal(calls[0]?.[':path'], '/runtime.v1.RuntimeService/Version');
    });
  });

  test('is not ready while it refuses', async () => {
    await withRuntime({ 'grpc-status': '14', 'grpc-message': 'server is not%0Ainitialized' }, async (socket) => {
      await assert.rejects(checkCri(socket, AbortSignal.timeout(90_000)), { code: 'cri-refused', message: /server is not\ninitialized/ });
    });
  });

  test('is waited for while it refuses, and given up when it came up without its CRI part', async () => {
    const signal = AbortSignal.timeout(90_000);
    const answers = { 'grpc-status': '14', 'grpc-message': 'server is not initialized' };
    await withRuntime(answers, async (socket) => {
      await waitForCri(socket, { signal, note: () => Object.assign(answers, { 'grpc-status': '0' }) });
    });
    const without = { 'grpc-status': '12', 'grpc-message': 'unknown service runtime.v1.RuntimeService' };
    await withRuntime(without, async (socket, calls) => {
      await assert.rejects(waitForCri(socket, { signal }), { code: 'cri-refused', message: /unknown service/ });
      assert.equal(calls.length, 1);
    });
  });

  test('is not ready without a socket, or when it says nothing', async () => {
    await assert.rejects(checkCri('/nonexistent.sock', AbortSignal.timeout(90_000)), { code: 'ENOENT' });
    await withRuntime(undefined, async (socket) => {
      await assert.rejects(checkCri(socket, AbortSignal.timeout(50)), { name: 'TimeoutError' });
    });
  });
});

/** A runtime that answers each call with these trailers, or never. */
async function withRuntime(
  trailers: Readonly<Record<string, string>> | undefined,
  use: (socket: string, calls: IncomingHttpHeaders[]) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-cri-'));
  const socket = join(folder, 'cri.sock');
  const calls: IncomingHttpHeaders[] = [];
  const server = createServer();
  server.on('sessionError', () => undefined);
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    calls.push(headers);
    stream.on('error', () => undefined);
    if (trailers === undefined) return;
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end();
  });
  server.listen(socket);
  await once(server, 'listening');
  try {
    await use(socket, calls);
  } finally {
    server.close();
    await rm(folder, { recursive: true });
  }
}
