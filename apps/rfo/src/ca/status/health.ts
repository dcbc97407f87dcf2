/** How fresh what is told of certificates is: numbers for alarms before clients begin to refuse. */
import type { Metric } from '../../server/metrics.ts';
import type { OcspCounters } from './ocsp.ts';
import type { Crl, Responder } from './types.ts';

export type AuthorityLook = { readonly authority: string; readonly responder: Responder; readonly crl: Crl | undefined };

export type StatusHealth = {
  readonly authorities: readonly {
    /** Id of the CA's key, lower-case hex. */
    readonly authority: string;
    readonly responder: { readonly delegated: boolean; readonly daysLeft: number };
    /** Undefined until somebody has asked for a list. */
    readonly crl: { readonly number: string; readonly ageSeconds: number; readonly secondsLeft: number } | undefined;
  }[];
};

export function describeHealth(authorities: readonly AuthorityLook[], now: number): StatusHealth {
  return {
    authorities: authorities.map(({ authority, responder, crl }) => ({
      authority,
      responder: { delegated: responder.delegated, daysLeft: Math.floor((responder.notAfter - now) / day) },
      crl: crl && {
        number: crl.number.toString(),
        ageSeconds: Math.floor((now - crl.thisUpdate) / 1000),
        secondsLeft: Math.floor((crl.nextUpdate - now) / 1000),
      },
    })),
  };
}

const day = 86_400_000;

export function describeMetrics(authorities: readonly AuthorityLook[], ocsp: OcspCounters, now: number): readonly Metric[] {
  const perAuthority = (value: (look: AuthorityLook) => number | undefined): Metric['samples'] =>
    authorities.flatMap((look) => {
      const number = value(look);
      return number === undefined ? [] : [{ labels: { authority: look.authority }, value: number }];
    });
  const answers = [
    { labels: { from: 'cache' }, value: ocsp.cached },
    { labels: { from: 'signature' }, value: ocsp.signed },
    { labels: { from: 'refusal' }, value: ocsp.refused },
  ];
  return [
    gauge(
      'rfo_ca_ocsp_responder_seconds_left',
      'Until the certificate that signs OCSP answers ends.',
      perAuthority(({ responder }) => Math.floor((responder.notAfter - now) / 1000)),
    ),
    gauge(
      'rfo_ca_ocsp_responder_delegated',
      'Whether a certificate of its own signs OCSP answers (1) or the CA itself (0).',
      perAuthority(({ responder }) => Number(responder.delegated)),
    ),
    gauge(
      'rfo_ca_crl_age_seconds',
      'Since the last revocation list was signed.',
      perAuthority(({ crl }) => crl && Math.floor((now - crl.thisUpdate) / 1000)),
    ),
    gauge(
      'rfo_ca_crl_seconds_left',
      'Until the last revocation list ends.',
      perAuthority(({ crl }) => crl && Math.floor((crl.nextUpdate - now) / 1000)),
    ),
    gauge(
      'rfo_ca_crl_number',
      'Number of the last revocation list.',
      perAuthority(({ crl }) => crl && Number(crl.number)),
    ),
    { name: 'rfo_ca_ocsp_answers_total', help: 'OCSP answers given.', type: 'counter', samples: answers },
    gauge('rfo_ca_ocsp_cache_bytes', 'Bytes that signed OCSP answers take.', [{ labels: {}, value: ocsp.cacheBytes }]),
  ];
}

function gauge(name: string, help: string, samples: Metric['samples']): Metric {
  return { name, help, type: 'gauge', samples };
}
