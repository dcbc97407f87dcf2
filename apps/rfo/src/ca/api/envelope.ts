/** The one form of all answers of the CFSSL API, byte for byte as Go's net/http and encoding/json write it. */
import { RfoError } from '@rfo/foundation';
import { CfsslError } from '../cfssl-error.ts';
import type { ApiResult } from './types.ts';

export type Rendered = {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** The client is told nothing of what it was, so the log has to tell. */
  readonly unexpected?: true;
};

export function renderResult({ result, messages = [] }: ApiResult): Rendered {
  const body = goJson({ success: true, result, errors: [], messages });
  return { status: 200, type: 'application/json', body: `${body}\n` };
}

/** Errors go out as Go's http.Error writes them: plain text, whatever they are made of. */
export function renderError(error: unknown): Rendered {
  const refusal = toCfsslError(error);
  const { code, message, status } = refusal ?? internal;
  const body = goJson({ success: false, result: null, errors: [{ code, message }], messages: [] });
  return { ...plainText(status, body), ...(refusal === undefined && { unexpected: true }) };
}

/** Go's http.Error. */
export function plainText(status: number, text: string): Rendered {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

export const notFound: Rendered = plainText(404, '404 page not found');

/** As cfssl calls it; its code is the status. */
export function methodNotAllowed(method: string): CfsslError {
  return new CfsslError(405, `Method is not allowed:"${method}"`, 405);
}

const internal = new CfsslError(0, 'the server failed to answer; its log says why', 500);

/** What a client is told of an error of ours; undefined for one that no client is meant to meet. */
function toCfsslError(error: unknown): CfsslError | undefined {
  if (error instanceof CfsslError) return error;
  if (!(error instanceof RfoError)) return undefined;
  switch (error.code) {
    case 'request-too-large':
      return new CfsslError(413, 'http: request body too large', 413);
    case 'request-too-slow':
      return new CfsslError(408, 'the request did not arrive in time', 408);
    case 'server-overloaded':
      return new CfsslError(503, 'the server is overloaded', 503);
    case 'ca-certificate-known':
      return new CfsslError(
        11000,
        'failed to insert record into certificates: UNIQUE constraint failed: certificates.serial_number, certificates.authority_key_identifier',
      );
    case 'ca-certificate-unknown':
      return new CfsslError(11200, 'failed to revoke the certificate: certificate not found');
    case 'ca-store-failed':
      return new CfsslError(11000, 'the certificate store cannot be written');
    case 'ca-token-unknown':
    case 'ca-token-expired':
    case 'ca-token-used-up':
    case 'ca-token-wrong-node':
    case 'ca-token-wrong-profile':
      // Whoever guesses is not told how near he is; the audit log knows.
      return new CfsslError(400, 'invalid token');
    default:
      return undefined;
  }
}

/** Go's encoder writes what HTML could mistake for markup as escapes. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
