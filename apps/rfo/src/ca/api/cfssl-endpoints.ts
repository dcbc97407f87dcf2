/** Which endpoints of cfssl there are, and which of them are on: by what the CA has, by its profiles, and by `-disable`. */
import type { SigningConfig } from '../config/types.ts';
import { authsignEndpoint } from './endpoints/authsign.ts';
import { certaddEndpoint } from './endpoints/certadd.ts';
import { crlEndpoint } from './endpoints/crl.ts';
import { gencrlEndpoint } from './endpoints/gencrl.ts';
import { healthEndpoint } from './endpoints/health.ts';
import { infoEndpoint } from './endpoints/info.ts';
import { initCaEndpoint } from './endpoints/init-ca.ts';
import { newcertEndpoint } from './endpoints/newcert.ts';
import { newkeyEndpoint } from './endpoints/newkey.ts';
import { ocspsignEndpoint } from './endpoints/ocspsign.ts';
import { revokeEndpoint } from './endpoints/revoke.ts';
import { signEndpoint } from './endpoints/sign.ts';
import { guarded } from './guard.ts';
import type { ApiParts } from './parts.ts';
import type { Endpoint } from './types.ts';

export type Endpoints = {
  readonly enabled: readonly Endpoint[];
  /** With a sentence for the log, as cfssl writes one. */
  readonly disabled: readonly { readonly name: string; readonly why: string }[];
};

/**
 * @param others endpoints that need nothing of the CA: bundle, certinfo, scan, scaninfo
 * @param disable names of `-disable`
 */
export function cfsslEndpoints(
  parts: ApiParts,
  { others = [], disable = [] }: { readonly others?: readonly Endpoint[]; readonly disable?: readonly string[] } = {},
): Endpoints {
  const candidates: readonly (readonly [name: string, made: Endpoint | string])[] = [
    ...Object.entries(ofParts(parts)),
    ...others.map((endpoint) => [endpoint.name, endpoint] as const),
  ];
  const off = new Set(disable);
  const known = new Set(candidates.map(([name]) => name));
  const enabled: Endpoint[] = [];
  const disabled: { name: string; why: string }[] = [];
  for (const [name, made] of candidates) {
    if (off.has(name)) disabled.push({ name, why: 'explicitly disabled' });
    else if (typeof made === 'string') disabled.push({ name, why: made });
    else enabled.push(made);
  }
  for (const name of off) if (!known.has(name)) disabled.push({ name, why: 'there is no endpoint of this name' });
  return { enabled, disabled };
}

const noSigner = 'signer not initialized';
const noDatabase = 'cert db not configured (missing -db-config)';
const noPolicy = '{"code":5200,"message":"Invalid or unknown policy"}';

/** Each endpoint, or why there is none; the texts are cfssl's. */
function ofParts(parts: ApiParts): Readonly<Record<string, Endpoint | string>> {
  const { authority, records, responder, config } = parts;
  const signing = (make: (present: NonNullable<typeof authority>) => Endpoint | string) =>
    authority === undefined ? noSigner : make(authority);
  const stored = (make: (present: NonNullable<typeof records>) => Endpoint | string) =>
    records === undefined ? noDatabase : make(records);
  return {
    info: signing((present) => infoEndpoint(parts, present)),
    sign: signing((present) => (someOpen(config) ? signEndpoint(parts, present) : noPolicy)),
    authsign: signing((present) => (someKeyed(config) ? authsignEndpoint(parts, present) : noPolicy)),
    newkey: guarded(newkeyEndpoint(parts), parts),
    newcert: signing((present) => guarded(newcertEndpoint(parts, present), parts)),
    init_ca: guarded(initCaEndpoint(parts), parts),
    revoke: stored((present) => guarded(revokeEndpoint(parts, present), parts)),
    crl: signing((ca) => stored((db) => crlEndpoint(parts, { authority: ca, records: db }))),
    gencrl: signing(() => guarded(gencrlEndpoint(parts), parts)),
    ocspsign: signing((present) => (responder === undefined ? noSigner : guarded(ocspsignEndpoint(parts, present, responder), parts))),
    certadd: stored((present) => guarded(certaddEndpoint(parts, present), parts)),
    health: healthEndpoint,
  };
}

/** Where every profile has a key there is nothing to sign without one. */
function someOpen({ defaultProfile, profiles }: SigningConfig): boolean {
  return [defaultProfile, ...profiles.values()].some(({ authKeys }) => authKeys.length === 0);
}

function someKeyed({ defaultProfile, profiles }: SigningConfig): boolean {
  return [defaultProfile, ...profiles.values()].some(({ authKeys }) => authKeys.length > 0);
}
