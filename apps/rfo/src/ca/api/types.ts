/** What an endpoint of the CFSSL API is: given a request, it gives what stands in `result`. */
import type { IncomingHttpHeaders } from 'node:http';
import type { CertificateInfo } from '@rfo/pki';

export type ApiRequest = {
  /** The bytes as they came; an authenticated request is signed over them. */
  readonly body: Buffer;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Who asks: address of the connection, and the subject of its client certificate where one was verified. */
  readonly remote: string;
  readonly client:
    | {
        readonly commonName: string;
        readonly organizations: readonly string[];
        /** Whole: who renews is known by this one certificate, not by its subject alone. */
        readonly certificate: CertificateInfo;
        /** Comes from the CA of operators (`-mutual-tls-ca`), and not just from this one. */
        readonly operator: boolean;
      }
    | undefined;
  /** Aborted when the client is gone or the server ends. */
  readonly signal: AbortSignal;
};

export type ApiMessage = { readonly code: number; readonly message: string };
export type ApiResult = { readonly result: unknown; readonly messages?: readonly ApiMessage[] };

export type Endpoint = {
  /** Name below `/api/v1/cfssl/`; one that begins with a slash is the whole path. */
  readonly name: string;
  readonly method: 'GET' | 'POST';
  /** @throws CfsslError; anything else becomes status 500 with code 0 */
  readonly handle: (request: ApiRequest) => Promise<ApiResult>;
};
