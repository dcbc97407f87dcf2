/** The one narrow interface between the client and the network: another way to reach an API server is another function that gives this. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

export type TransportRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query. */
  readonly path: string;
  /** A list sends the header once for each value, as `Impersonate-Group` needs it. */
  readonly headers?: Headers;
  readonly body?: string;
  /** Milliseconds without a byte from the server after which the request fails. */
  readonly idle: number;
  readonly signal?: AbortSignal | undefined;
};

export type TransportResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Has to be read to its end, or left by `return` (what `break` in `for await` does). */
  readonly body: AsyncIterable<Uint8Array>;
};

export type Transport = {
  /** Throws kube-unreachable, or the reason of the signal. */
  readonly request: (request: TransportRequest) => Promise<TransportResponse>;
  /** Ends all connections and what still runs on them. */
  readonly close: () => void;
};
