/** The CA itself: a request and a profile in, a signed certificate out, with the rules of both in between. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@rfo/foundation';
import { type CertificateInfo, encodePem, type IssuerIdentity } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { findProfile } from '../config/find-profile.ts';
import type { Profile, SigningConfig } from '../config/types.ts';
import type { Compat } from './compat.ts';
import { nodeRule } from './node-rule.ts';
import { prepare } from './prepare.ts';
import { readCertificateRequest } from './read-request.ts';
import { defaultRules, refuseWeakKey } from './rules.ts';
import { signDraft } from './sign-draft.ts';
import type { Issued, Issuer, Rule, SignRequest } from './types.ts';

export type IssuerOptions = {
  readonly config: SigningConfig;
  /** What signs, and under which name. */
  readonly identity: IssuerIdentity;
  /** The CA's own: its end and its path length bound what it signs. */
  readonly certificate: CertificateInfo;
  readonly clock: Clock;
  readonly compat: Compat;
  /** Instead of `defaultRules`: what holds for every certificate. */
  readonly rules?: readonly Rule[];
};

/**
 * Signs as cfssl's local signer does, within rules: first those of the caller (a join token), then those of the profile, then those for all.
 * Nothing is remembered here: who issues writes it down before he hands it out.
 */
export function createIssuer(options: IssuerOptions): Issuer {
  const { config, identity, certificate, clock, compat, rules: common = defaultRules(certificate, compat) } = options;
  const issue = async (request: SignRequest, rules: readonly Rule[] = []): Promise<Issued> => {
    const profile = findProfile(config, request.profile, compat);
    if (profile.remote !== undefined) throw new CfsslError(5300, `the profile ${profile.name} is signed by another CA`);
    const csr = readCertificateRequest(request.certificateRequest);
    refuseWeakKey(csr, compat);
    const prepared = prepare(request, csr, { profile, certificate, now: clock.now() });
    const serial = serialNumber(profile, request.serial);
    const draft = [...rules, ...profileRules(profile), ...common].reduce((current, rule) => rule(current), prepared.draft);
    // Whoever copies extensions trusts the CSR; a node's is not trusted.
    const extensions = draft.node === undefined ? prepared.extensions : [];
    const der = await signDraft({ draft, profile, serial, extensions }, identity);
    const decimal = BigInt(`0x${serial.toString('hex')}`).toString();
    return { pem: encodePem('CERTIFICATE', der), der, draft, serial: decimal, authorityKeyId: identity.keyId.toString('hex') };
  };
  return { issue };
}

function profileRules({ bind }: Profile): readonly Rule[] {
  return bind === 'node' ? [nodeRule({})] : [];
}

/** Twenty bytes of chance, as many as RFC 5280 §4.1.2.2 allows, never negative. */
export function randomSerial(): Buffer {
  const bytes = randomBytes(20);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes;
}

function serialNumber({ clientProvidesSerialNumbers }: Profile, wanted: bigint | undefined): Buffer {
  if (!clientProvidesSerialNumbers) return randomSerial();
  if (wanted === undefined) throw new CfsslError(1400, 'Missing serial number in request');
  if (wanted <= 0n) throw new CfsslError(1000, 'x509: serial number must be positive');
  if (wanted >= 1n << 159n) throw new CfsslError(1000, 'x509: serial number is longer than 20 bytes');
  const hex = wanted.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
