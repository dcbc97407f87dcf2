import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemCode } from '@rfo/foundation';

/**
 * Answers what is no HTTP request, in the same form as everything else, and closes. Connections that broke, or whose TLS handshake failed,
 * are closed without a word: there is nobody to tell.
 */
export function answerBroken(error: Error, socket: Duplex): void {
  const status = statusOf(systemCode(error) ?? '');
  if (status === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({ code: 'request-invalid', message: STATUS_CODES[status] ?? '' });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy());
}

function statusOf(code: string): number | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408;
  return code.startsWith('HPE_') ? 400 : undefined;
}
