/** `POST /api/v1/rfo/renew`: a node gets the successor of a certificate that it has, by showing the one that it is a client with. */
import { type CertificateInfo, certificateInfo, certificateInfos, encodePem, formatAltName, formatName } from '@rfo/pki';
import * as z from 'zod/mini';
import { type Act, actOf, audited, doneEntry } from '../api/audited.ts';
import { recordOf } from '../api/issue-recorded.ts';
import type { ApiParts, Authority, Records } from '../api/parts.ts';
import type { ApiRequest, ApiResult, Endpoint } from '../api/types.ts';
import { CfsslError } from '../cfssl-error.ts';
import { nodeRule } from '../signing/node-rule.ts';
import type { Issued, SignRequest } from '../signing/types.ts';
import type { CertificateKey, CertificateRecord } from '../store/types.ts';
import { nodeOf } from './node-of.ts';

export type RenewalOptions = Pick<ApiParts, 'config' | 'clock' | 'log'> & {
  readonly authority: Pick<Authority, 'issuer' | 'certificate'>;
  readonly records: Records;
  /** PEM of the roots that clients are to trust from now on: two while the key of the CA is being replaced. */
  readonly authorities: () => string;
};

const requestSchema = z.object({
  /** PEM; of the key of the new certificate, which may be another. */
  certificate_request: z.string(),
  /** One with `"rfo_bind": "node"`, whose kind of certificate the node has already. */
  profile: z.string(),
});

/**
 * The endpoint. Its answer holds `certificate` and `authorities`, both PEM. It refuses with 401 who shows no certificate of a node, with 403 whose
 * certificate is revoked, expired or unknown, and with cfssl's own codes what is wrong with the request. Each renewal and each refusal is audited.
 */
export function createRenewal(options: RenewalOptions): Endpoint {
  return {
    name: '/api/v1/rfo/renew',
    method: 'POST',
    handle: (call) => {
      const act = actOf('renew', call);
      return audited(options, act, (learn) => renew(call, { options, act, learn }));
    },
  };
}

type Renewing = { readonly options: RenewalOptions; readonly act: Act; readonly learn: (more: Partial<Act>) => void };

async function renew(call: ApiRequest, { options, act, learn }: Renewing): Promise<ApiResult> {
  const { records, clock } = options;
  const { store, audit } = records;
  const shown = provenNode(call, options);
  learn({ node: shown.node });
  const wish = readWish(call.body);
  learn({ profile: wish.profile });
  const { issued, request } = await issue({ call, shown, wish }, options);
  const { draft, serial, authorityKeyId } = issued;
  const about = { node: shown.node, profile: draft.profile, subject: formatName(draft.subject), names: draft.altNames.map(formatAltName) };
  const noted = audit.within(doneEntry({ ...act, ...about, serial, authorityKeyId }));
  await store.insert(recordOf(issued, { request, now: clock.now() }), () => {
    // It may have been revoked while this was signed.
    checkGood(store.find(shown.key));
    noted();
  });
  return { result: { certificate: issued.pem, authorities: trusted(options) } };
}

/** What signs comes first, which may be none of the roots: nodes have nothing else to build a chain from. */
function trusted({ authority, authorities }: RenewalOptions): string {
  const others = certificateInfos(authorities()).filter(({ der }) => !der.equals(authority.certificate.der));
  return [authority.certificate, ...others].map(({ der }) => encodePem('CERTIFICATE', der)).join('');
}

type Shown = { readonly node: string; readonly key: CertificateKey };

/** The handshake proved that whoever asks holds the key; here counts that the certificate is a node's, and good in the database at this moment. */
function provenNode({ client }: ApiRequest, { records, clock }: RenewalOptions): Shown {
  const certificate = client?.certificate;
  const node = certificate === undefined ? undefined : nodeOf(certificate);
  if (certificate === undefined || node === undefined) throw new CfsslError(401, 'a client certificate of a node is required', 401);
  const key = keyOf(certificate);
  const record = records.store.find(key);
  checkGood(record);
  if (!certificateInfo(record.pem).der.equals(certificate.der)) throw refusal('the certificate is not the one that was issued');
  if (clock.now() > certificate.notAfter) throw refusal('the certificate has expired: join anew');
  return { node, key };
}

function checkGood(record: CertificateRecord | undefined): asserts record is CertificateRecord {
  if (record === undefined) throw refusal('the certificate is unknown');
  if (record.status !== 'good') throw refusal('the certificate is revoked');
}

function refusal(message: string): CfsslError {
  return new CfsslError(403, message, 403);
}

type Wish = z.output<typeof requestSchema>;

function readWish(body: Buffer): Wish {
  try {
    return z.parse(requestSchema, JSON.parse(body.toString('utf8')));
  } catch {
    throw new CfsslError(400, 'a request is {"certificate_request": PEM, "profile": NAME}');
  }
}

async function issue(
  asked: { readonly call: ApiRequest; readonly shown: Shown; readonly wish: Wish },
  { authority, records, config, clock }: RenewalOptions,
): Promise<{ readonly issued: Issued; readonly request: SignRequest }> {
  const { call, shown, wish } = asked;
  const { node } = shown;
  const profile = config.profiles.get(wish.profile);
  if (profile?.bind !== 'node')
    throw new CfsslError(5200, `${wish.profile} is no profile of nodes: its configuration lacks "rfo_bind": "node"`);
  const held = records.store.list({ node, status: 'good', unexpiredAt: clock.now() }).map(({ pem }) => certificateInfo(pem));
  const present = held.filter(({ usages }) => sameUsages(usages, profile.usages));
  if (present.length === 0) throw new CfsslError(5500, `the node ${node} has no certificate as of the profile ${wish.profile} to renew`);
  // The addresses that it has proven already, and the one that it asks from: it may have moved.
  const addresses = [call.remote.replace(/^::ffff:/, ''), ...present.flatMap(addressesIn)];
  const request = { certificateRequest: wish.certificate_request, hosts: null, profile: profile.name, label: '' };
  return { issued: await authority.issuer.issue(request, [nodeRule({ node, addresses })]), request };
}

function sameUsages(some: readonly string[], others: readonly string[]): boolean {
  return new Set(some).symmetricDifference(new Set(others)).size === 0;
}

function addressesIn({ altNames }: CertificateInfo): readonly string[] {
  return altNames.filter(({ type }) => type === 'ip').map(({ value }) => value);
}

function keyOf({ serial, authorityKeyId }: CertificateInfo): CertificateKey {
  return { serial: BigInt(`0x${serial}`).toString(), authorityKeyId: authorityKeyId?.toString('hex') ?? '' };
}
