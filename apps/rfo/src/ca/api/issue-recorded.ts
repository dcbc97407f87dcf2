/** Signs and remembers: no certificate leaves the house that the database does not know. */
import { fail, RfoError } from '@rfo/foundation';
import { formatAltName, formatName } from '@rfo/pki';
import type { Issued, SignRequest } from '../signing/types.ts';
import { signedRecord } from '../store/signed-record.ts';
import type { CertificateKey, CertificateRecord } from '../store/types.ts';
import type { JoinToken } from '../tokens/types.ts';
import { type Act, doneEntry } from './audited.ts';
import { IssuedBefore, type JoinRule, joinRule } from './join-rule.ts';
import type { ApiParts, Authority, Records } from './parts.ts';

export type Wish = {
  readonly request: SignRequest;
  readonly act: Act;
  /** By which it was asked for. */
  readonly token?: JoinToken | undefined;
  readonly learn: (more: Partial<Act>) => void;
};

/**
 * PEM of the certificate, with a final newline; it is on the disk by then, with its line in the audit log and the use of the token.
 * @throws CfsslError, ca-store-failed, ca-certificate-known, ca-token-expired, ca-token-used-up, ca-token-wrong-node, ca-token-wrong-profile
 */
export async function issueRecorded(
  parts: Pick<ApiParts, 'records' | 'clock'> & { readonly authority: Authority },
  wish: Wish,
): Promise<string> {
  const { authority, records } = parts;
  const { token } = wish;
  if (records === undefined) return (await authority.issuer.issue(wish.request)).pem;
  if (token === undefined) return await issueOnce({ ...parts, records }, wish);
  try {
    return await issueOnce({ ...parts, records }, wish, joinRule(token, records.tokens));
  } catch (error) {
    if (error instanceof IssuedBefore) return await giveAgain(records, wish, { token, key: error.key });
    // Of two requests of one node at the same time the second finds the token used up when it is written: it may be given the first one's.
    if (!(error instanceof RfoError && error.code === 'ca-token-used-up')) throw error;
    return await afterOther({ ...parts, records }, wish, token);
  }
}

type Recording = Pick<ApiParts, 'clock'> & { readonly authority: Authority; readonly records: Records };

async function issueOnce({ authority, records, clock }: Recording, { request, act, learn }: Wish, join?: JoinRule): Promise<string> {
  const issued = await authority.issuer.issue(request, join && [join.rule]);
  const { serial, authorityKeyId, draft } = issued;
  const about = {
    profile: draft.profile,
    subject: formatName(draft.subject),
    names: draft.altNames.map(formatAltName),
    serial,
    authorityKeyId,
    ...(draft.node !== undefined && { node: draft.node }),
  };
  learn(about);
  const noted = records.audit.within(doneEntry({ ...act, ...about }));
  const used = join?.record({ serial, authorityKeyId });
  await records.store.insert(recordOf(issued, { request, now: clock.now() }), () => {
    used?.();
    noted();
  });
  return issued.pem;
}

async function afterOther(recording: Recording, wish: Wish, token: JoinToken): Promise<string> {
  const { records } = recording;
  try {
    return await issueOnce(recording, wish, joinRule(token, records.tokens));
  } catch (error) {
    if (error instanceof IssuedBefore) return await giveAgain(records, wish, { token, key: error.key });
    throw error;
  }
}

type Before = { readonly token: JoinToken; readonly key: CertificateKey };

/** One that was revoked since is not given again: its node has been shut out. */
async function giveAgain({ store, audit }: Records, { act }: Wish, { token, key }: Before): Promise<string> {
  const record = store.find(key);
  if (record?.status !== 'good') throw fail('ca-token-used-up', { id: token.id });
  await audit.write({ ...doneEntry({ ...act, ...key }), reason: 'the certificate that this key had got before' });
  return record.pem;
}

export function recordOf(issued: Issued, { request, now }: { readonly request: SignRequest; readonly now: number }): CertificateRecord {
  const { serial, authorityKeyId, pem } = issued;
  const { subject, altNames, notBefore, notAfter } = issued.draft;
  const kept = { serial, authorityKeyId, pem, caLabel: request.label, metadata: null };
  return signedRecord({ ...kept, subject, altNames, notBefore, notAfter }, now);
}
