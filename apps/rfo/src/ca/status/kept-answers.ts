/**
 * Answers about single certificates: signed when they are asked for the first time, and given again until something about the certificate changes or
 * half of their validity has passed.
 */
import type { Clock } from '@rfo/foundation';
import type { OcspCertificateId, OcspStatus } from '@rfo/pki';
import { type Answer, AnswerCache } from './answer-cache.ts';
import { certificateKey, splitCertificateKey } from './find-issuer.ts';
import type { OcspReply, StatusStore } from './types.ts';

export type KeptAnswers = {
  /** The right answer to a request that got one before. */
  readonly recognise: (alias: string) => OcspReply | undefined;
  /** The right answer about a certificate; undefined when the database does not know it. */
  readonly get: (wanted: Wanted) => Promise<OcspReply> | OcspReply | undefined;
  /** What the database says now. */
  readonly statusOf: (certificate: string) => OcspStatus;
  readonly forget: () => void;
  readonly size: () => { readonly bytes: number; readonly certificates: number };
  readonly close: () => void;
};

export type Wanted = {
  readonly certificate: string;
  readonly id: OcspCertificateId;
  /** By what the request will be recognised the next time. */
  readonly alias: string | undefined;
  readonly sign: (status: OcspStatus) => Promise<{ readonly reply: OcspReply; readonly from: number; readonly until: number }>;
};

export function keepAnswers(inputs: { readonly store: StatusStore; readonly clock: Clock; readonly cacheBytes: number }): KeptAnswers {
  const { store, clock } = inputs;
  const cache = new AnswerCache(inputs.cacheBytes);
  /** Being signed now, by certificate and identifier: whoever asks meanwhile waits for the same signature, unless something changed since. */
  const signing = new Map<string, Promise<Answer>>();
  /** Grows with each write of another process: answers of before are compared with the database before they are given again. */
  let epoch = 0;

  const close = store.onChange((change) => {
    if (change === 'anything') {
      epoch++;
      signing.clear();
      return;
    }
    const certificate = certificateKey(change.serial, change.authorityKeyId);
    cache.drop(certificate);
    for (const pending of signing.keys()) if (pending.startsWith(`${certificate} `)) signing.delete(pending);
  });

  const statusOf = (certificate: string): OcspStatus => {
    const record = store.find(splitCertificateKey(certificate));
    if (record === undefined) return { kind: 'unknown' };
    if (record.status === 'good') return { kind: 'good' };
    return { kind: 'revoked', at: record.revokedAt ?? 0, reason: record.reason };
  };

  const isRight = (answer: Answer): boolean => {
    const now = clock.now();
    if (now < answer.from || now >= answer.until) return false;
    if (answer.epoch === epoch) return true;
    if (describeState(statusOf(answer.certificate)) !== answer.state) return false;
    answer.epoch = epoch;
    return true;
  };

  const begin = async ({ certificate, sign }: Wanted, status: OcspStatus): Promise<Answer> => {
    const asked = epoch;
    return { ...(await sign(status)), certificate, state: describeState(status), epoch: asked };
  };

  const signNew = async (wanted: Wanted, idBytes: string, pending: string, status: OcspStatus): Promise<OcspReply> => {
    const begun = begin(wanted, status);
    signing.set(pending, begun);
    try {
      const answer = await begun;
      // Otherwise something changed since the database was asked: it is right for those who asked before, and for nobody after.
      if (signing.get(pending) === begun) {
        cache.put(idBytes, answer);
        if (wanted.alias !== undefined) cache.name(wanted.alias, answer);
      }
      return answer.reply;
    } finally {
      if (signing.get(pending) === begun) signing.delete(pending);
    }
  };

  return {
    recognise: (alias) => {
      const answer = cache.recognise(alias);
      return answer !== undefined && isRight(answer) ? answer.reply : undefined;
    },
    get: (wanted) => {
      const { certificate, id, alias } = wanted;
      const idBytes = id.raw.toString('latin1');
      const known = cache.get(certificate, idBytes);
      if (known !== undefined && isRight(known)) {
        if (alias !== undefined) cache.name(alias, known);
        return known.reply;
      }
      const status = statusOf(certificate);
      if (status.kind === 'unknown') return undefined;
      const pending = `${certificate} ${idBytes}`;
      const ongoing = signing.get(pending);
      return ongoing === undefined ? signNew(wanted, idBytes, pending, status) : ongoing.then(({ reply }) => reply);
    },
    statusOf,
    forget: () => {
      cache.clear();
      signing.clear();
    },
    size: () => ({ bytes: cache.bytes, certificates: cache.size }),
    close,
  };
}

function describeState(status: OcspStatus): string {
  return status.kind === 'revoked' ? `revoked ${status.at} ${status.reason}` : status.kind;
}
