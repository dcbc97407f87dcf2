/** Asks a container runtime over its socket whether it answers: kubelet ends itself when it does not. */
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { every20ms } from './probe.ts';

/** Calls `runtime.v1.RuntimeService/Version` (gRPC: an empty message, and status 0 in the trailers) until it succeeds. */
export async function untilCriAnswers(socket: string): Promise<void> {
  await every20ms(() => answers(socket));
}

async function answers(socket: string): Promise<boolean> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  session.on('error', () => undefined);
  try {
    const call = session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.RuntimeService/Version',
      'content-type': 'application/grpc',
      'te': 'trailers',
    });
    call.end(Buffer.alloc(5));
    call.resume();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    call.once('trailers', (headers) => resolve(headers['grpc-status']));
    call.once('error', reject);
    call.once('close', () => resolve(undefined));
    return (await promise) === '0';
  } finally {
    session.destroy();
  }
}
