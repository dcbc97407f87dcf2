/** Reads an audit log through and tells whether anything in it was changed, left out or put in. */
import { createReadStream } from 'node:fs';
import { fail, systemCode } from '@rfo/foundation';
import { hashLine, noHash, readLine } from './line.ts';

export type VerifiedAudit = {
  readonly lines: number;
  /** Numbers of the first line (more than 1 in a log that goes on an older one) and of the last; 0 in an empty log. */
  readonly first: number;
  readonly last: number;
  /** SHA-256 of the last line, hex. What follows in another file begins with it; whoever keeps it elsewhere notices a shortened log. */
  readonly hash: string;
};

/** @throws ca-audit-broken at the first line that does not follow from the one before, audit-unreadable */
export async function verifyAudit(file: string): Promise<VerifiedAudit> {
  let state: VerifiedAudit = { lines: 0, first: 0, last: 0, hash: noHash };
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
      let bytes = Buffer.concat([rest, chunk as Buffer]);
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline)) {
        state = follow(state, bytes.subarray(0, end), file);
        bytes = bytes.subarray(end + 1);
      }
      rest = bytes;
    }
  } catch (error) {
    if (systemCode(error) === undefined || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw fail('ca-audit-unreadable', { file, problem: error.message }, error);
  }
  if (rest.length > 0) throw fail('ca-audit-broken', { file, line: state.lines + 1, problem: 'is cut off' });
  return state;
}

const newline = 10;

function follow(state: VerifiedAudit, bytes: Buffer, file: string): VerifiedAudit {
  const line = state.lines + 1;
  const place = readLine(bytes.toString('utf8'));
  const broken = (problem: string): never => {
    throw fail('ca-audit-broken', { file, line, problem });
  };
  if (!place) return broken('is no line of an audit log');
  const begins = state.lines === 0;
  if (!begins && place.seq !== state.last + 1) return broken(`has the number ${place.seq} after ${state.last}`);
  if (begins && place.seq === 1 && place.prev !== noHash) return broken('is the first, but follows another');
  if (!begins && place.prev !== state.hash) return broken('does not follow from the one before: one of them was changed');
  return { lines: line, first: begins ? place.seq : state.first, last: place.seq, hash: hashLine(bytes) };
}
