import type { ApiParts } from './parts.ts';
import type { ApiResult } from './types.ts';

const noBundler = { code: 5300, message: 'This request requires a bundler, but one is not initialized for the API server.' };

/** Adds what leads from a new certificate to a root, where it is wanted. A server without a bundler says so in a message, and the answer is good. */
export async function withBundle(
  { bundle }: Pick<ApiParts, 'bundle'>,
  {
    result,
    pem,
    wanted,
    signal,
  }: { readonly result: object; readonly pem: string; readonly wanted: boolean; readonly signal: () => AbortSignal },
): Promise<ApiResult> {
  if (!wanted) return { result };
  if (bundle === undefined) return { result, messages: [noBundler] };
  return { result: { ...result, bundle: await bundle(pem, signal()) } };
}
