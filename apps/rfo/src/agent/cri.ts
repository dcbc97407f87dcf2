/** Asks the container runtime whether it answers: kubelet ends itself at once when it does not. */
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { fail } from '@rfo/foundation';
import { type ProbeOptions, poll } from '@rfo/process';

/**
 * Waits until the runtime answers. containerd serves without its CRI part when that could not start (no more inotify instances, for example),
 * and never gets one later: then this throws, so that it is started anew.
 * @throws cri-refused, the signal's reason
 */
export async function waitForCri(socket: string, { signal, note }: ProbeOptions): Promise<void> {
  const hopeless = new AbortController();
  const attempt = async (): Promise<void> => {
    try {
      await checkCri(socket, signal);
    } catch (error) {
      if (error instanceof Error && error.cause instanceof UnknownService) hopeless.abort(error);
      throw error;
    }
  };
  await poll(attempt, { signal: AbortSignal.any([signal, hopeless.signal]), ...(note && { note }) });
}

/** gRPC's status 12: services are registered before the first call is taken. */
class UnknownService extends Error {}
const unimplemented = '12';

/**
 * Calls `runtime.v1.RuntimeService/Version` over gRPC. containerd listens before its CRI part has started, and refuses this call until then;
 * an empty request is a valid one, and the answer's content does not matter.
 * @throws the connection's error, or cri-refused with what the runtime says
 */
export async function checkCri(socket: string, signal: AbortSignal): Promise<void> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  // The stream below reports the same error; without a listener here it would end the process.
  session.on('error', () => undefined);
  try {
    const call = session.request(
      {
        ':method': 'POST',
        ':path': '/runtime.v1.RuntimeService/Version',
        'content-type': 'application/grpc',
        'te': 'trailers',
      },
      { signal },
    );
    // One uncompressed message of length 0.
    call.end(Buffer.alloc(5));
    const status = await grpcStatus(call);
    if (status.code === '0') return;
    throw fail('cri-refused', { problem: status.message }, status.code === unimplemented ? new UnknownService(status.message) : undefined);
  } finally {
    session.destroy();
  }
}

type Call = ReturnType<ReturnType<typeof connect>['request']>;

/** A failed call may bring its status with the headers, a successful one brings it after the answer. */
async function grpcStatus(call: Call): Promise<{ code: string; message: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ code: string; message: string }>();
  const read = (headers: Readonly<Record<string, unknown>>): void => {
    if (headers['grpc-status'] === undefined) return;
    resolve({ code: String(headers['grpc-status']), message: decodeURIComponent(String(headers['grpc-message'] ?? 'no reason given')) });
  };
  call.once('response', read);
  call.once('trailers', read);
  // Of a broken connection the call knows only that it was cancelled; the cause says why.
  call.once('error', (error: Error) => reject(error.cause ?? error));
  call.once('close', () => reject(new Error('the connection ended without an answer')));
  call.resume();
  return promise;
}
