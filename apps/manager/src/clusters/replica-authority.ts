/** Certificates by which replicas of the manager know each other: one CA in a Secret, and a certificate that each makes for itself from it. */
import { createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '@rfo/foundation';
import type { KubeClient } from '@rfo/kube';
import {
  type AltName,
  certificateInfos,
  decodeKey,
  encodeKey,
  encodePem,
  generateKey,
  identity,
  issueCertificate,
  issueSelfSigned,
  publicKeyBytes,
} from '@rfo/pki';
import * as z from 'zod/mini';
import { changeRecord, secretRef } from './stored-secret.ts';

const day = 24 * 3_600_000;
const authorityLifetime = 3650 * day;
/** A replica makes another one at each start and each dial. */
const leafLifetime = 30 * day;
/** Clocks of hosts differ. */
const backdated = 300_000;

const record = z.object({ cert: z.string(), key: z.string() });
type Authority = z.output<typeof record>;

export type ReplicaCredentials = { readonly ca: string; readonly cert: string; readonly key: string };

/** Reads the CA, or makes it where no replica has yet. Gives what issues the certificate of the replica that is reached under this address. */
export async function openReplicaAuthority(input: {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
}): Promise<(replica: { readonly name: string; readonly host: string }) => ReplicaCredentials> {
  const { client, namespace, clock } = input;
  const parse = (value: unknown): Authority => z.parse(record, value);
  const authority = await changeRecord(client, secretRef(namespace, 'rfo-replica-ca'), {
    parse,
    change: (found) => (found === undefined ? makeAuthority(clock.now()) : undefined),
  });
  const [certificate] = certificateInfos(authority?.cert ?? '', 'the CA of the replicas');
  if (authority === undefined || certificate === undefined)
    throw new TypeError('the Secret of the CA of the replicas holds no certificate');
  const signer = { certificate, key: decodeKey(authority.key, 'the CA of the replicas') };
  return ({ name, host }) => {
    const key = generateKey();
    const now = clock.now();
    const altNames: AltName[] = [{ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }];
    const request = {
      ...{
        subject: identity(name, ['rfo:replicas']),
        publicKey: publicKeyBytes(createPublicKey(key)),
        altNames,
        usages: ['serverAuth', 'clientAuth'] as const,
      },
      ...{ notBefore: now - backdated, notAfter: now + leafLifetime },
    };
    return { ca: authority.cert, cert: encodePem('CERTIFICATE', issueCertificate(request, signer)), key: encodeKey(key) };
  };
}

function makeAuthority(now: number): Authority {
  const key = generateKey();
  const subject = identity('rfo-replica-ca');
  const dates = { notBefore: now - backdated, notAfter: now + authorityLifetime };
  const certificate = issueSelfSigned({ subject, publicKey: publicKeyBytes(createPublicKey(key)), ...dates, ca: { pathLength: 0 } }, key);
  return { cert: encodePem('CERTIFICATE', certificate), key: encodeKey(key) };
}
