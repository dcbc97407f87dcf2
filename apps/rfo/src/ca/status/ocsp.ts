/**
 * Answers OCSP requests live from the database: good the moment a certificate is issued, revoked the moment its revocation is acknowledged, here or by
 * another process.
 */
import { type Clock, type Log, RfoError } from '@rfo/foundation';
import { limitRate } from '@rfo/http';
import { decodeOcspRequest, encodeOcspError, type OcspError, type OcspRequest } from '@rfo/pki';
import { type Asked, createIssuerIndex } from './find-issuer.ts';
import { keepAnswers } from './kept-answers.ts';
import { keptReply, type Signed, signAnswer, type Told } from './sign-answer.ts';
import type { OcspReply, Responder, StatusAuthority, StatusStore } from './types.ts';

export type OcspInputs = {
  readonly store: StatusStore;
  readonly authorities: readonly OcspAuthority[];
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds. */
  readonly validity: number;
  readonly cacheBytes: number;
  /** How many answers a second are signed that cannot be kept: those to a nonce, and to several certificates at once. */
  readonly uncachedPerSecond: number;
};

export type OcspAuthority = StatusAuthority & { readonly responderNow: () => Responder };

export type Ocsp = {
  /** The answer that a request known by this alias got before, at once; undefined when it has to be read. */
  readonly recognise: (alias: string) => OcspReply | undefined;
  /**
   * Answers the DER of a request.
   * @param alias by what it will be recognised the next time: its bytes as latin1, or its path
   */
  readonly answer: (request: Uint8Array, alias?: string) => Promise<OcspReply>;
  /** The responder is another one now. */
  readonly forget: () => void;
  readonly counters: () => OcspCounters;
  readonly close: () => void;
};

export type OcspCounters = {
  readonly cached: number;
  readonly signed: number;
  readonly refused: number;
  readonly cacheBytes: number;
  readonly certificates: number;
};

export function createOcsp(inputs: OcspInputs): Ocsp {
  const { store, clock, log, validity } = inputs;
  const kept = keepAnswers(inputs);
  const find = createIssuerIndex(inputs.authorities);
  const mayBeSigned = limitRate({ burst: inputs.uncachedPerSecond, perSecond: inputs.uncachedPerSecond, clock });
  const counters = { answered: 0, signed: 0, refused: 0 };

  const sign = async (told: readonly Told[], { responderNow }: OcspAuthority, nonce?: Buffer): Promise<Signed> => {
    counters.signed++;
    return await signAnswer(told, { responder: responderNow(), now: clock.now(), validity, nonce });
  };
  const refuse = (error: OcspError, status: OcspReply['status'] = 200): OcspReply => {
    counters.refused++;
    return { status, der: encodeOcspError(error), caching: undefined };
  };

  // Unknown serial numbers and foreign issuers get `unauthorized`, as cfssl and the large public CAs answer (RFC 5019 §2.2.3): it needs no signature,
  // so that asking for random numbers costs us nothing, and says no more than that nothing can be said. Where it stands beside known ones in one
  // request it is `unknown` there, for the others deserve their answer.
  const answerOne = async ({ id, known }: Asked<OcspAuthority>, alias: string | undefined): Promise<OcspReply> => {
    if (known === undefined) return refuse('unauthorized');
    const { certificate, authority } = known;
    const reply = await kept.get({
      ...{ certificate, id, alias },
      sign: async (status) => {
        const signed = await sign([{ id, status }], authority);
        return { reply: keptReply(signed), from: signed.thisUpdate, until: signed.until };
      },
    });
    return reply ?? refuse('unauthorized');
  };

  /** Never kept: a nonce comes once, and combinations are without number. Hence their rate is bounded. */
  const answerFresh = async (asked: readonly Asked<OcspAuthority>[], nonce: Buffer | undefined): Promise<OcspReply> => {
    const authority = asked.find(({ known }) => known !== undefined)?.known?.authority;
    const told = asked.map(({ id, known }): Told => {
      // One signer cannot speak for two CAs.
      return { id, status: known !== undefined && known.authority === authority ? kept.statusOf(known.certificate) : { kind: 'unknown' } };
    });
    if (authority === undefined || told.every(({ status }) => status.kind === 'unknown')) return refuse('unauthorized');
    if (!mayBeSigned()) return refuse('tryLater');
    const { der } = await sign(told, authority, nonce);
    return { status: 200, der, caching: undefined };
  };

  return {
    recognise: (alias) => {
      try {
        store.look();
        const reply = kept.recognise(alias);
        if (reply !== undefined) counters.answered++;
        return reply;
      } catch {
        // A database that cannot be read: reading the request comes to the same, and tells it.
        return undefined;
      }
    },
    answer: async (der, alias) => {
      counters.answered++;
      try {
        store.look();
        const request = readRequest(der);
        const [first, ...others] = request?.certificates.map(find) ?? [];
        if (request === undefined || first === undefined || others.length >= mostCertificates) return refuse('malformedRequest', 400);
        if (others.length === 0 && request.nonce === undefined) return await answerOne(first, alias);
        return await answerFresh([first, ...others], request.nonce);
      } catch (error) {
        log.error('an OCSP request could not be answered', { error });
        return refuse('internalError', 500);
      }
    },
    forget: kept.forget,
    counters: () => {
      const { answered, signed, refused } = counters;
      const { bytes, certificates } = kept.size();
      return { cached: Math.max(0, answered - signed - refused), signed, refused, cacheBytes: bytes, certificates };
    },
    close: kept.close,
  };
}

/** How many certificates one request may ask for. */
const mostCertificates = 64;

function readRequest(der: Uint8Array): OcspRequest | undefined {
  try {
    return decodeOcspRequest(der);
  } catch (error) {
    if (error instanceof RfoError) return undefined;
    throw error;
  }
}
