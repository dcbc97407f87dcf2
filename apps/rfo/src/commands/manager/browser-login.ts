// Signing in by a browser (RFC 8252): the browser opens a session at the manager, and a code for one comes back to a port of loopback.
import { spawn } from 'node:child_process';
import { hash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { fail } from '@rfo/foundation';
import { chooseLanguage, listen } from '@rfo/http';
import * as z from 'zod/mini';
import type { CommandContext } from '../../cli/context.ts';
import type { ManagerClient } from './client.ts';
import { isTerminal } from './prompt.ts';

const session = z.object({ username: z.string(), token: z.string() });

/** Milliseconds that somebody has in the browser: those that the manager gives him. */
const patience = 600_000;

/**
 * Prints the address, opens it where there is a desktop, and waits until the user has said yes there.
 * @param provider where to go at once; without it the page of the manager lets the user choose
 * @throws manager-browser-late, and what the manager refuses
 */
export async function signInByBrowser(
  client: ManagerClient,
  { provider, open }: { readonly provider: string | undefined; readonly open: boolean },
  context: CommandContext,
): Promise<z.output<typeof session>> {
  const { stderr, env, life } = context;
  const [verifier, state] = [randomBytes(32).toString('base64url'), randomBytes(16).toString('base64url')];
  const server = createServer();
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  try {
    const coming = awaitCode(server, { port, state, signal: life.signal });
    const challenge = hash('sha256', verifier, 'base64url');
    const query = new URLSearchParams({ port: String(port), challenge, state });
    const address = `${client.server}/sign-in${provider === undefined ? '' : `/to/${encodeURIComponent(provider)}`}?${query}`;
    stderr.write(`Sign in at this address, in a browser on this computer:\n  ${address}\n`);
    if (open && isTerminal()) openBrowser(address, env);
    const code = await coming;
    return await client.call(session, { method: 'POST', path: '/session/code', body: { code, verifier } });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

function awaitCode(
  server: Server,
  { port, state, signal }: { readonly port: number; readonly state: string; readonly signal: AbortSignal },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => reject(fail('manager-browser-late', { minutes: patience / 60_000 })), patience);
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  server.on('request', (request, response) => {
    const code = codeIn(request, { port, state });
    answer(response, code !== undefined, request.headers['accept-language']);
    // Once the browser has it: what ends with this command must not look like a failure there.
    if (code !== undefined) response.once('close', () => resolve(code));
  });
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  });
}

/** Anybody on this computer, and any page, can knock here: only who knows the state is meant. */
function codeIn(
  { method, url = '', headers }: IncomingMessage,
  wanted: { readonly port: number; readonly state: string },
): string | undefined {
  const own = `127.0.0.1:${wanted.port}`;
  const target = method === 'GET' && headers.host === own ? URL.parse(url, `http://${own}`) : null;
  if (target?.pathname !== '/' || target.searchParams.get('state') !== wanted.state) return undefined;
  return target.searchParams.get('code') ?? undefined;
}

const texts = {
  'en': { good: 'You are signed in. This window can be closed.', bad: 'This is not what rfo manager login waits for.' },
  'zh-CN': { good: '已登录，可以关闭此窗口。', bad: '这不是 rfo manager login 所等待的内容。' },
} as const satisfies Record<string, { readonly good: string; readonly bad: string }>;

/** In the language of the browser, as the pages that led there. */
function answer(response: ServerResponse, good: boolean, wanted: string | undefined): void {
  const language = chooseLanguage<keyof typeof texts>(wanted, ['en', 'zh-CN']);
  const text = texts[language][good ? 'good' : 'bad'];
  const body = `<!doctype html><html lang="${language}"><meta charset="utf-8"><title>rfo</title><p>${text}</p></html>\n`;
  response.writeHead(good ? 200 : 400, {
    'content-type': 'text/html; charset=utf-8',
    'content-language': language,
    'content-length': Buffer.byteLength(body),
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'connection': 'close',
  });
  response.end(body);
}

/** Where that is not possible the address stands above. */
function openBrowser(address: string, env: CommandContext['env']): void {
  const isMac = process.platform === 'darwin';
  if (!isMac && env.DISPLAY === undefined && env.WAYLAND_DISPLAY === undefined) return;
  const child = spawn(isMac ? 'open' : 'xdg-open', [address], { stdio: 'ignore', detached: true, env: { ...env } });
  child.once('error', () => undefined);
  child.unref();
}
