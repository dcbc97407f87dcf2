/** For tests: requests to the front door, and what is to be waited for. */
import { on } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { retry } from '@rfo/foundation';
import type { AuditEntry, AuditQuery, AuditRecord } from '../audit/types.ts';
import type { Lab, Person } from './front-door.testing.ts';

export const within = (milliseconds: number) => ({ signal: AbortSignal.timeout(milliseconds) });

export type Answer = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly text: string };

/** Who asks for which path below /k8s/clusters/, and how. */
export type Ask = [
  person: Person | undefined,
  path: string,
  options?: { method?: string; headers?: Record<string, string | string[]>; body?: string },
];

/** A request by Node's own client. */
export function askAt(lab: Pick<Lab, 'port' | 'ca'>, ...[person, path, options = {}]: Ask): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        ...{ host: '127.0.0.1', port: lab.port, ca: lab.ca, method, path: `/k8s/clusters/${path}`, agent: false },
        headers: { ...(person && { authorization: `Bearer ${person.credential}` }), ...headers },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text })).on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The code of an error in a Status. */
export const codeOf = ({ text }: Answer): unknown => JSON.parse(text).details.causes[0].reason;
/** What the server behind saw of the headers, by turns. */
export const seenBy = ({ text }: Answer): [string, string][] => {
  const raw = JSON.parse(text).headers as string[];
  return raw.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? '']] : []));
};
/** A request as kubectl exec sends it. */
export const upgradeLines = (person: Person, path: string, ...more: string[]): string =>
  [
    `POST /k8s/clusters/echo${path} HTTP/1.1`,
    ...[
      'Host: manager',
      `Authorization: Bearer ${person.credential}`,
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
      'X-Stream-Protocol-Version: v4.channel.k8s.io',
    ],
    ...[...more, '', ''],
  ].join('\r\n');

/** Resolves when the audit log has been given such an entry. */
export async function recordedAt(lab: Pick<Lab, 'records'>, wanted: (record: AuditRecord) => boolean): Promise<void> {
  for await (const [record] of on(lab.records, 'record', within(30_000))) if (wanted(record as AuditRecord)) return;
}

export async function entriesOf({ audit }: Pick<Lab, 'audit'>, query: AuditQuery): Promise<AuditEntry[]> {
  // A kind that is new is refused for a moment.
  await retry(() => audit.flush(), { initial: 20, max: 200, ...within(10_000) });
  return await Array.fromAsync(audit.search(query));
}

/** Resolves when it is closed, in whatever way. */
export function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('still open after 90 s')), 90_000);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (socket.on('error', () => undefined).closed) done();
    else socket.once('close', done);
  });
}

/** All that comes until the connection ends. */
export async function readToEnd(socket: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await closed(socket);
  return Buffer.concat(chunks).toString('latin1');
}

/** What comes until the text is there. */
export function readUntil(socket: Duplex, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = (): void => {
      socket.off('data', onData).off('close', onClose);
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.includes(wanted)) return;
      done();
      resolve(text);
    };
    const onClose = (): void => reject(new Error(`closed after ${JSON.stringify(text)}`));
    socket
      .on('data', onData)
      .on('close', onClose)
      .on('error', () => undefined);
  });
}
