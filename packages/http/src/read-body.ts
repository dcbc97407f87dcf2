import type { IncomingMessage } from 'node:http';
import { fail } from '@rfo/foundation';

/**
 * The whole body of a request.
 * @param bounds most bytes, and milliseconds until the last of them must have come
 * @throws request-too-large, request-too-slow, or the signal's reason
 */
export function readBody(
  request: IncomingMessage,
  bounds: { readonly limit: number; readonly within: number; readonly signal: AbortSignal },
): Promise<Buffer> {
  const { limit, within, signal } = bounds;
  const tooLarge = (): Error => fail('request-too-large', { limit });
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.reject(tooLarge());
  if (request.complete && request.readableLength === 0) return Promise.resolve(Buffer.alloc(0));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) settle(() => reject(tooLarge()));
      else chunks.push(chunk);
    };
    const onEnd = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const onError = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => settle(() => reject(signal.reason));
    const timer = setTimeout(() => settle(() => reject(fail('request-too-slow', { seconds: within / 1000 }))), within);
    signal.addEventListener('abort', onAbort, { once: true });
    request.on('data', onData).on('end', onEnd).on('error', onError);
  });
}
