// `rfo ca ocsp`: asks a responder about a certificate, and believes nothing that is not signed for it.
import { randomBytes } from 'node:crypto';
import { fail, systemClock } from '@rfo/foundation';
import {
  type CertificateInfo,
  certificateInfo,
  certificateUrls,
  createOcspRequest,
  decodeOcspResponse,
  formatName,
  type OcspResponse,
  ocspCertificateId,
} from '@rfo/pki';
import { loadCaOptions } from '@rfo/schema';
import { caPaths } from '../../ca/keys/ca-paths.ts';
import { readSpec } from '../../ca/keys/read-key.ts';
import type { Run } from '../../cli/context.ts';
import { showTime } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { judgeOcspAnswer } from './judge-answer.ts';
import { readOperand } from './operand.ts';

/** Milliseconds. */
const patience = 15_000;

/** Exit code 0: good; 1: revoked or unknown, or the answer is not to be believed. */
export const askResponder: Run = async (context) => {
  const { values: config, operands } = loadFlags((await loadCaOptions()).caOcspConfig, context, 1);
  const { env, life, stdout } = context;
  const file = operands[0];
  const certificate = certificateInfo(await readOperand('ca ocsp', file, 'the file of a certificate, or -', env), file);
  const issuerFile = config.issuer ?? caPaths(config.dir).ca;
  const issuer = certificateInfo(await readSpec(issuerFile, env), issuerFile);
  const url = config.url ?? responderOf(certificate);
  const id = ocspCertificateId(BigInt(`0x${certificate.serial}`), { name: issuer.rawSubject, publicKey: issuer.publicKey }, config.hash);
  const nonce = randomBytes(16);
  const answer = await ask(
    url,
    createOcspRequest({ certificates: [id], nonce }),
    AbortSignal.any([life.signal, AbortSignal.timeout(patience)]),
  );
  const judged = judgeOcspAnswer(answer, { id, issuer, nonce, now: systemClock.now() });
  if ('problem' in judged) throw fail('ca-ocsp-failed', { url, problem: judged.problem });
  const { status, thisUpdate, nextUpdate, producedAt } = judged;
  const described = {
    subject: formatName(certificate.subject),
    serial: BigInt(`0x${certificate.serial}`).toString(),
    status: status.kind,
    ...(status.kind === 'revoked' && { revokedAt: showTime(status.at), reason: status.reason ?? 0 }),
    thisUpdate: showTime(thisUpdate),
    ...(nextUpdate !== undefined && { nextUpdate: showTime(nextUpdate) }),
    producedAt: showTime(producedAt),
    responder: url,
  };
  stdout.write(
    config.output === 'json'
      ? `${JSON.stringify(described, undefined, 2)}\n`
      : Object.entries(described)
          .map(([name, value]) => `${name.padEnd(12)}${value}\n`)
          .join(''),
  );
  return status.kind === 'good' ? 0 : 1;
};

function responderOf(certificate: CertificateInfo): string {
  const [url] = certificateUrls(certificate).ocsp;
  if (url === undefined) throw fail('argument-missing', { command: 'ca ocsp', what: 'a --url, as the certificate names no responder' });
  return url;
}

async function ask(url: string, request: Buffer, signal: AbortSignal): Promise<OcspResponse> {
  try {
    const answer = await fetch(url, {
      ...{ method: 'POST', body: new Uint8Array(request), signal, redirect: 'error' },
      headers: { 'Content-Type': 'application/ocsp-request' },
    });
    return decodeOcspResponse(new Uint8Array(await answer.arrayBuffer()));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw fail('ca-ocsp-failed', { url, problem: cause instanceof Error ? cause.message : String(cause) }, error);
  }
}
