// `rfo ca info`: what the certificate authority is.
import { readFileIfExists, systemClock } from '@rfo/foundation';
import { type CertificateInfo, certificateInfo, certificateInfos, formatName } from '@rfo/pki';
import { loadCaOptions } from '@rfo/schema';
import { exists } from '../../ca/keys/change-folder.ts';
import { fingerprintOf, pinOf } from '../../ca/keys/pin.ts';
import { readConfigFile } from '../../ca/keys/signing-config.ts';
import type { Run } from '../../cli/context.ts';
import { showTime } from '../../cli/render-table.ts';
import { loadFlags } from '../../cli/with-config.ts';
import { openCa } from './open.ts';

/** The pin is what user data carries; the bundle is what is to be trusted. Needs no private key. */
export const describeAuthority: Run = async (context) => {
  const { values: config } = loadFlags((await loadCaOptions()).caInfoConfig, context);
  const { paths, store, tokens } = await openCa('ca info', config, context);
  const now = systemClock.now();
  const [pem, previousPem, bundlePem] = await Promise.all([
    readFileIfExists(paths.ca),
    (await exists(paths.previous.ca)) ? readFileIfExists(paths.previous.ca) : undefined,
    readFileIfExists(paths.bundle),
  ]);
  const { defaultProfile, profiles } = await readConfigFile(paths.config, { env: context.env });
  const records = store.list({});
  const good = records.filter(({ status, expiry }) => status === 'good' && expiry > now).length;
  const revoked = records.filter(({ status }) => status === 'revoked').length;
  const described = {
    authority: describe(certificateInfo(pem ?? '', paths.ca)),
    previous: previousPem === undefined ? null : describe(certificateInfo(previousPem, paths.previous.ca)),
    roots: certificateInfos(bundlePem ?? '', paths.bundle).map(describe),
    bundle: paths.bundle,
    ocspUrl: defaultProfile.ocspUrl,
    crlUrl: defaultProfile.crlUrl,
    profiles: [...profiles.keys()],
    certificates: { good, revoked, expired: records.length - good - revoked },
    tokens: tokens.list().length,
  };
  context.stdout.write(config.output === 'json' ? `${JSON.stringify(described, undefined, 2)}\n` : render(described));
  return 0;
};

type Described = ReturnType<typeof describe>;

function describe(certificate: CertificateInfo) {
  return {
    subject: formatName(certificate.subject),
    issuer: formatName(certificate.issuer),
    keyId: certificate.subjectKeyId?.toString('hex') ?? '',
    pin: pinOf(certificate),
    fingerprint: fingerprintOf(certificate),
    notBefore: showTime(certificate.notBefore),
    notAfter: showTime(certificate.notAfter),
  };
}

function render(info: {
  readonly authority: Described;
  readonly previous: Described | null;
  readonly roots: readonly Described[];
  readonly bundle: string;
  readonly ocspUrl: string;
  readonly crlUrl: string;
  readonly profiles: readonly string[];
  readonly certificates: { readonly good: number; readonly revoked: number; readonly expired: number };
  readonly tokens: number;
}): string {
  const { authority, previous, roots, certificates: count } = info;
  const rows: (readonly [string, string])[] = [
    ['subject', authority.subject],
    ...(authority.issuer === authority.subject ? [] : [['issuer', authority.issuer] as const]),
    ['pin', authority.pin],
    ['fingerprint', `sha256:${authority.fingerprint} (of the certificate)`],
    ['key id', authority.keyId],
    ['valid', `${authority.notBefore} to ${authority.notAfter}`],
    ['OCSP', info.ocspUrl],
    ['CRL', info.crlUrl],
    ['roots', `${info.bundle} (${roots.map(({ subject }) => subject).join(', ')})`],
    ['profiles', info.profiles.join(', ')],
    ['certificates', `${count.good} good, ${count.revoked} revoked, ${count.expired} expired`],
    ['tokens', String(info.tokens)],
    ...(previous === null
      ? []
      : [['before it', `${previous.subject}, ${previous.pin}: still answered for; end it by rfo ca rotate --finish`] as const]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join('');
}
