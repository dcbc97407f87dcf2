import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemCode } from '@rfo/foundation';

/** What a server says to what is no HTTP request, in the form of its other answers. */
export type BrokenAnswer = { readonly type: string; readonly body: string };

/**
 * Answers what is no HTTP request, and closes. Connections that broke, or whose TLS handshake failed, are closed without a word: there is
 * nobody to tell.
 * @param render the answer to a status and its text
 */
export function brokenAnswerer(render: (status: number, text: string) => BrokenAnswer): (error: Error, socket: Duplex) => void {
  return (error, socket) => {
    const status = statusOf(systemCode(error) ?? '');
    if (status === undefined || !socket.writable) {
      socket.destroy();
      return;
    }
    const text = STATUS_CODES[status] ?? '';
    const { type, body } = render(status, text);
    const head = `HTTP/1.1 ${status} ${text}\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}`;
    socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy());
  };
}

function statusOf(code: string): number | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}
