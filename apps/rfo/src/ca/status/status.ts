/** The status of every certificate that the CA issued, as its certificates promise: OCSP and revocation lists, live from the database. */
import { type Clock, fail, type Life, type Log, systemClock } from '@rfo/foundation';
import type { Metric } from '../../server/metrics.ts';
import type { StatusSources } from './answer-http.ts';
import { createCrlSource } from './crl.ts';
import { createStatusHandler, type StatusHandler } from './handler.ts';
import { describeHealth, describeMetrics, type StatusHealth } from './health.ts';
import { createOcsp } from './ocsp.ts';
import { keepResponder } from './responder.ts';
import type { Crl, OcspReply, Responder, StatusAuthority, StatusStore, StatusWindows } from './types.ts';

export type StatusInputs = {
  readonly store: StatusStore;
  /** The present CA first; then those before it whose certificates are still about. */
  readonly authorities: readonly StatusAuthority[];
  readonly life: Life;
  readonly log: Log;
  readonly clock?: Clock;
  readonly windows?: Partial<StatusWindows>;
  /** Bytes that signed OCSP answers may take. */
  readonly cacheBytes?: number;
  /** Answers a second, of those that cannot be kept because they repeat a nonce or speak of several certificates. */
  readonly uncachedPerSecond?: number;
};

export type Status = StatusSources & {
  /** Answers the DER of an OCSP request. */
  readonly answerOcsp: (request: Uint8Array) => Promise<OcspReply>;
  /** Answers any request: OCSP, `/crl`, `/crl.pem`, `/crl/<key id>`, `/crl/<key id>.pem`. */
  readonly handler: StatusHandler;
  /** Who signs OCSP answers of the present CA now. */
  readonly responder: () => Responder;
  /** The list of the present CA. @throws ca-store-failed */
  readonly presentCrl: () => Promise<Crl>;
  readonly metrics: () => readonly Metric[];
  readonly health: () => StatusHealth;
};

const hour = 3_600_000;
const defaults = {
  ocspValidity: 4 * hour,
  crlValidity: 7 * 24 * hour,
  cacheBytes: 32 * 1024 * 1024,
  uncachedPerSecond: 500,
} as const;

/** @throws ocsp-responder-unusable, certificate-unreadable, key-unreadable */
export async function createStatus(inputs: StatusInputs): Promise<Status> {
  const { store, life, log, clock = systemClock } = inputs;
  const { ocspValidity = defaults.ocspValidity, crlValidity = defaults.crlValidity } = inputs.windows ?? {};
  let forget = (): void => undefined;
  const authorities = await Promise.all(
    inputs.authorities.map(async (authority) => ({
      ...authority,
      responderNow: await keepResponder({ authority, clock, log, life, changed: () => forget() }),
    })),
  );
  const [present] = authorities;
  if (present === undefined) throw fail('internal', { what: 'a status service without a CA' });
  const ocsp = createOcsp({
    store,
    authorities,
    clock,
    log,
    validity: ocspValidity,
    cacheBytes: inputs.cacheBytes ?? defaults.cacheBytes,
    uncachedPerSecond: inputs.uncachedPerSecond ?? defaults.uncachedPerSecond,
  });
  forget = ocsp.forget;
  life.defer(ocsp.close);
  const lists = new Map(
    authorities.map((authority) => {
      const source = createCrlSource({ store, authority, clock, log, validity: crlValidity });
      life.defer(source.close);
      return [authority.identity.keyId.toString('hex'), source] as const;
    }),
  );
  const presentKeyId = present.identity.keyId.toString('hex');
  const crl = (authorityKeyId = presentKeyId): Promise<Crl> | undefined => lists.get(authorityKeyId)?.get();
  const sources: StatusSources = { ocsp, crl };
  const look = () =>
    authorities.map(({ identity, responderNow }) => {
      const authority = identity.keyId.toString('hex');
      return { authority, responder: responderNow(), crl: lists.get(authority)?.latest() };
    });
  return {
    ...sources,
    answerOcsp: (request) => ocsp.answer(request),
    responder: present.responderNow,
    presentCrl: async () => (await crl()) ?? Promise.reject(fail('internal', { what: 'a CA without a list' })),
    handler: createStatusHandler(sources, log),
    metrics: () => describeMetrics(look(), ocsp.counters(), clock.now()),
    health: () => describeHealth(look(), clock.now()),
  };
}
