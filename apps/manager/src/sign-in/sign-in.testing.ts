/** For tests: the pages for signing in, and browsers that keep cookies. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { type Life, silentLog } from '@rfo/foundation';
import type { Replica } from '../identity/identity.testing.ts';
import { createSignInPages } from './create-sign-in-pages.ts';

export type Seen = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string; readonly location: string };

export type Browser = {
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Seen>;
  /** @param headers over those that a browser sends */
  readonly post: (path: string, form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>) => Promise<Seen>;
  readonly cookies: Map<string, string>;
};

/** One server for any replicas: those of the manager share an address. It tells itself as `server-url`. */
export async function servePages(replica: Replica, life: Life): Promise<{ readonly origin: string; readonly browser: () => Browser }> {
  const pages = createSignInPages({ identity: replica.identity, objects: replica.objects, life, log: silentLog });
  const server = createServer((asked, answer) => {
    if (!pages(asked, answer)) answer.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  life.defer(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = Object(server.address());
  // The TLS before it is another part's; what it is called counts here.
  const origin = `https://127.0.0.1:${port}`;
  const browser = (): Browser => {
    const cookies = new Map<string, string>();
    const send = async (
      method: string,
      path: string,
      content: string | undefined,
      headers: Readonly<Record<string, string>>,
    ): Promise<Seen> => {
      const jar = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const sent = request({
        ...{ host: '127.0.0.1', port, method, path },
        headers: {
          ...(jar !== '' && { cookie: jar }),
          ...(content !== undefined && {
            'content-type': 'application/x-www-form-urlencoded',
            'content-length': Buffer.byteLength(content),
            origin,
          }),
          ...headers,
        },
      });
      sent.end(content);
      const [answer] = await once(sent, 'response');
      for (const line of answer.headers['set-cookie'] ?? []) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '') cookies.delete(name);
        else cookies.set(name, value);
      }
      return { status: answer.statusCode, headers: answer.headers, body: await text(answer), location: answer.headers.location ?? '' };
    };
    return {
      get: (path, headers = {}) => send('GET', path, undefined, headers),
      post: (path, form, headers = {}) => send('POST', path, new URLSearchParams(form).toString(), headers),
      cookies,
    };
  };
  return { origin, browser };
}

/** The value of a field that stands in a page. */
export function fieldIn({ body }: Seen, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? '';
}
