/** HTTP/1.1 answers as bytes, for what is written straight to a socket. */
import { STATUS_CODES } from 'node:http';
import type { StatusAnswer } from './answer-http.ts';

/** Gives the bytes of an answer; those of an answer that is given again within a second are the same. */
export function createWire(now: () => number): (answer: StatusAnswer) => Buffer {
  const made = new WeakMap<StatusAnswer, { readonly second: number; readonly bytes: Buffer }>();
  let second = 0;
  let date = '';
  return (answer) => {
    const time = Math.floor(now() / 1000);
    if (time !== second) {
      second = time;
      date = new Date(time * 1000).toUTCString();
    }
    const before = made.get(answer);
    if (before !== undefined && before.second === second) return before.bytes;
    const bytes = render(answer, date);
    made.set(answer, { second, bytes });
    return bytes;
  };
}

/** A 304 has no body and tells no length (RFC 9110 §8.6). */
function render({ status, headers, body }: StatusAnswer, date: string): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, `Date: ${date}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (status !== 304) lines.push(`Content-Length: ${body.length}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
