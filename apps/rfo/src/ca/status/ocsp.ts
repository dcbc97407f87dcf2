/**
 * Answers OCSP requests live from the database: good the moment a certificate is issued, revoked the moment its revocation is acknowledged. What
 * was signed is given again until something about the certificate changes, or half of its validity has passed.
 */
import { type Clock, type Log, RfoError } from '@rfo/foundation';
import {
  decodeOcspRequest,
  encodeOcspError,
  encodeOcspResponse,
  hashIssuer,
  type OcspAnswer,
  type OcspCertificateId,
  type OcspError,
  type OcspRequest,
  type OcspStatus,
  ocspHashes,
} from '@rfo/pki';
import { type Answer, AnswerCache } from './answer-cache.ts';
import { describeCaching } from './caching.ts';
import { limitRate } from './rate.ts';
import type { OcspReply, Responder, StatusAuthority, StatusStore } from './types.ts';

export type OcspInputs = {
  readonly store: StatusStore;
  readonly authorities: readonly (StatusAuthority & { readonly responderNow: () => Responder })[];
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds. */
  readonly validity: number;
  readonly cacheBytes: number;
  /** How many answers a second are signed that cannot be kept: those to a nonce, and to several certificates at once. */
  readonly uncachedPerSecond: number;
};

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
  const cache = new AnswerCache(inputs.cacheBytes);
  const mayBeSigned = limitRate(inputs.uncachedPerSecond, clock);
  const authorities = indexAuthorities(inputs.authorities);
  /** Being signed now, by certificate and identifier: whoever asks meanwhile waits for the same signature, unless something changed since. */
  const signing = new Map<string, Promise<Answer>>();
  const counters = { cached: 0, signed: 0, refused: 0 };
  let epoch = 0;

  const forget = (): void => {
    cache.clear();
    signing.clear();
  };
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

  /** Whether an answer may still be given. After another process wrote, the certificate is looked up again before its answer is. */
  const isRight = (answer: Answer): boolean => {
    const now = clock.now();
    if (now < answer.from || now >= answer.until) return false;
    if (answer.epoch === epoch) return true;
    if (describeState(statusOf(answer.certificate)) !== answer.state) return false;
    answer.epoch = epoch;
    return true;
  };
  const statusOf = (certificate: string): OcspStatus => {
    const [serial = '', authorityKeyId = ''] = certificate.split('@');
    const record = store.find({ serial, authorityKeyId });
    if (record === undefined) return { kind: 'unknown' };
    if (record.status === 'good') return { kind: 'good' };
    return { kind: 'revoked', at: record.revokedAt ?? 0, reason: record.reason };
  };

  const refuse = (error: OcspError, status: OcspReply['status'] = 200): OcspReply => {
    counters.refused++;
    return { status, der: encodeOcspError(error), caching: undefined };
  };

  const answerOne = async (asked: Asked & { readonly certificate: string }, alias: string | undefined): Promise<OcspReply> => {
    const { certificate, id } = asked;
    const idBytes = id.raw.toString('latin1');
    const known = cache.get(certificate, idBytes);
    if (known !== undefined && isRight(known)) {
      if (alias !== undefined) cache.name(alias, known);
      counters.cached++;
      return known.reply;
    }
    const status = statusOf(certificate);
    if (status.kind === 'unknown') return refuse('unauthorized');
    const pending = `${certificate} ${idBytes}`;
    const ongoing = signing.get(pending);
    if (ongoing !== undefined) return (await ongoing).reply;

    const begun = signOne({ ...asked, status }, epoch);
    signing.set(pending, begun);
    try {
      const answer = await begun;
      // Otherwise something changed since the database was asked: it is right for those who asked before, and for nobody after.
      if (signing.get(pending) === begun) {
        cache.put(idBytes, answer);
        if (alias !== undefined) cache.name(alias, answer);
      }
      return answer.reply;
    } finally {
      if (signing.get(pending) === begun) signing.delete(pending);
    }
  };

  const signOne = async (asked: Asked & { readonly certificate: string; readonly status: OcspStatus }, at: number): Promise<Answer> => {
    const { certificate, status } = asked;
    const { der, thisUpdate, nextUpdate, until } = await sign([{ ...asked, status }], asked.authority, undefined);
    // Whoever gets it has at least that long: it is signed anew before less is left.
    const maxAge = Math.floor((nextUpdate - until) / 1000);
    const cacheControl = `max-age=${maxAge}, public, no-transform, must-revalidate`;
    const caching = describeCaching(der, { thisUpdate, nextUpdate, cacheControl });
    return { reply: { status: 200, der, caching }, certificate, state: describeState(status), from: thisUpdate, until, epoch: at };
  };

  /** Never kept: a nonce comes once, and combinations are without number. Hence their rate is bounded. */
  const answerFresh = async (asked: readonly Asked[], nonce: Buffer | undefined): Promise<OcspReply> => {
    const authority = asked.find((one) => one.certificate !== undefined)?.authority;
    const told = asked.map((one) => {
      const own = one.certificate !== undefined && one.authority === authority;
      return { ...one, status: own ? statusOf(one.certificate) : ({ kind: 'unknown' } as const) };
    });
    if (authority === undefined || told.every(({ status }) => status.kind === 'unknown')) return refuse('unauthorized');
    if (!mayBeSigned()) return refuse('tryLater');
    const { der } = await sign(told, authority, nonce);
    return { status: 200, der, caching: undefined };
  };

  const sign = async (
    told: readonly { readonly id: OcspCertificateId; readonly status: OcspStatus }[],
    authority: IndexedAuthority | undefined,
    nonce: Buffer | undefined,
  ): Promise<{ readonly der: Buffer; readonly thisUpdate: number; readonly nextUpdate: number; readonly until: number }> => {
    if (authority === undefined) throw new Error('a status of no authority');
    const responder = authority.responderNow();
    const thisUpdate = Math.floor(clock.now() / 1000) * 1000;
    // Nobody believes an answer whose signer has expired, whatever it says itself.
    const nextUpdate = Math.max(thisUpdate + 1000, Math.min(thisUpdate + validity, Math.floor(responder.notAfter / 1000) * 1000));
    const answers: OcspAnswer[] = told.map(({ id, status }) => ({ id, status, thisUpdate, nextUpdate }));
    const body = { answers, producedAt: thisUpdate, ...(nonce !== undefined && { nonce }) };
    const der = await encodeOcspResponse(body, responder);
    counters.signed++;
    return { der, thisUpdate, nextUpdate, until: thisUpdate + Math.floor((nextUpdate - thisUpdate) / 2) };
  };

  return {
    recognise: (alias) => {
      try {
        store.look();
        const answer = cache.recognise(alias);
        if (answer === undefined || !isRight(answer)) return undefined;
        counters.cached++;
        return answer.reply;
      } catch {
        // A database that cannot be read: reading the request comes to the same, and tells it.
        return undefined;
      }
    },
    answer: async (der, alias) => {
      try {
        store.look();
        const request = readRequest(der);
        if (request === undefined) return refuse('malformedRequest', 400);
        const asked = request.certificates.map((id) => locate(id, authorities));
        const [first, ...others] = asked;
        if (first === undefined || others.length >= mostCertificates) return refuse('malformedRequest', 400);
        const { certificate } = first;
        // Unknown serial numbers and foreign issuers get `unauthorized`, as cfssl and the large public CAs answer (RFC 5019 §2.2.3): it needs no
        // signature, so that asking for random numbers costs us nothing, and says no more than that nothing can be said. Where it stands beside
        // known ones in one request, it is `unknown` there, for the others deserve their answer.
        if (certificate === undefined && others.length === 0) return refuse('unauthorized');
        if (certificate === undefined || others.length > 0 || request.nonce !== undefined) return await answerFresh(asked, request.nonce);
        return await answerOne({ ...first, certificate }, alias);
      } catch (error) {
        log.error('an OCSP request could not be answered', { error });
        return refuse('internalError', 500);
      }
    },
    forget,
    counters: () => ({ ...counters, cacheBytes: cache.bytes, certificates: cache.size }),
    close,
  };
}

/** How many certificates one request may ask for. */
const mostCertificates = 64;

type IndexedAuthority = StatusAuthority & { readonly responderNow: () => Responder };
/** `certificate` is its key here; undefined when it is of no CA that is answered for. */
type Asked = { readonly id: OcspCertificateId; readonly authority: IndexedAuthority | undefined; readonly certificate: string | undefined };

/** By what clients call the issuer, in every hash algorithm. */
function indexAuthorities(authorities: readonly IndexedAuthority[]): ReadonlyMap<string, IndexedAuthority> {
  const index = new Map<string, IndexedAuthority>();
  for (const authority of authorities) {
    const { rawSubject: name, publicKey } = authority.certificate;
    for (const hash of ocspHashes) index.set(issuerKey({ hash, ...hashIssuer({ name, publicKey }, hash) }), authority);
  }
  return index;
}

function locate(id: OcspCertificateId, authorities: ReadonlyMap<string, IndexedAuthority>): Asked {
  const authority = authorities.get(issuerKey(id));
  if (authority === undefined) return { id, authority, certificate: undefined };
  return { id, authority, certificate: certificateKey(id.serial.toString(), authority.identity.keyId.toString('hex')) };
}

function issuerKey({ hash, nameHash, keyHash }: Pick<OcspCertificateId, 'hash' | 'nameHash' | 'keyHash'>): string {
  return `${hash} ${nameHash.toString('latin1')} ${keyHash.toString('latin1')}`;
}

function certificateKey(serial: string, authorityKeyId: string): string {
  return `${serial}@${authorityKeyId}`;
}

function describeState(status: OcspStatus): string {
  return status.kind === 'revoked' ? `revoked ${status.at} ${status.reason}` : status.kind;
}

function readRequest(der: Uint8Array): OcspRequest | undefined {
  try {
    return decodeOcspRequest(der);
  } catch (error) {
    if (error instanceof RfoError) return undefined;
    throw error;
  }
}
