/** Answers of two servers made comparable: what must differ between two runs of the same server is taken out, all else stays. */
import { X509Certificate } from 'node:crypto';
import { must } from '../../lab/index.ts';
import type { PlainAnswer } from '../../tools/http-requests.ts';

export type Comparable = { readonly status: number; readonly type: string; readonly answer: unknown };

export async function comparable({ status, type, body }: PlainAnswer): Promise<Comparable> {
  return { status, type, answer: await compareJson(body) };
}

/** The text of an answer with what differs in every run taken out. */
export async function compareJson(body: string): Promise<unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return body;
  }
  return JSON.stringify(await plain(parsed), undefined, 1);
}

/** What is different in each run, by the name of its key. */
const chosenByChance: Readonly<Record<string, (value: unknown) => unknown>> = {
  'serial_number': (value) => (/^\d{40,49}$/.test(String(value)) ? 'a serial number' : value),
  'md5': (value) => `${String(value).length} digits`,
  'sha-1': (value) => `${String(value).length} digits`,
  'sha-256': (value) => `${String(value).length} digits`,
  'subject_key_id': (value) => `${String(value).length} characters`,
  'hostnames': (value) => (Array.isArray(value) ? value.toSorted() : value),
  // Remarks beside a good answer are prose, and ours is our own; errors stand elsewhere, and their words count.
  'messages': (value) => (Array.isArray(value) ? value.map(withoutProse) : value),
};

function withoutProse(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? { ...message, message: 'a sentence' } : 'a sentence';
}

async function plain(value: unknown, key = ''): Promise<unknown> {
  const change = chosenByChance[key];
  if (change !== undefined) return await plain(change(value));
  if (typeof value === 'string') return await plainText(value, key);
  if (Array.isArray(value)) return await Promise.all(value.map((each) => plain(each)));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(await Promise.all(members.map(async ([name, each]) => [name, await plain(each, name)] as const)));
}

const dates = new Set(['not_before', 'not_after', 'expires', 'leaf_expires']);

async function plainText(value: string, key: string): Promise<unknown> {
  if (dates.has(key)) return timeMark(value);
  if (key === 'ocspResponse') return await describeOcspResponse(value);
  if (key === 'result') return await describeCrl(value);
  const pem = /^-----BEGIN ([^-]+)-----\n/.exec(value)?.[1];
  if (pem === undefined) return value.replace(/current time \S+ is/, 'current time T is');
  const final = value.endsWith('\n') ? 'with a newline at its end' : 'without a newline at its end';
  const blocks = value.match(/-----BEGIN [^-]+-----[\s\S]*?-----END [^-]+-----/g) ?? [];
  return [final, ...(await Promise.all(blocks.map((block) => describePem(block))))];
}

async function describePem(pem: string): Promise<unknown> {
  if (pem.includes('BEGIN CERTIFICATE-----')) return await describeCertificate(pem);
  if (pem.includes('CERTIFICATE REQUEST-----')) return await describeRequest(pem);
  return /BEGIN ([^-]+)/.exec(pem)?.[1];
}

const text = ['-noout', '-text', '-nameopt', 'RFC2253,show_type,sep_multiline'];

/** Everything that openssl tells of it but the serial number, the signature and the key itself. */
export async function describeCertificate(pem: string): Promise<unknown> {
  const told = await must(['openssl', 'x509', ...text, '-certopt', 'no_serial,no_validity,no_sigdump,no_pubkey'], { input: pem });
  const { validFromDate, validToDate, publicKey } = new X509Certificate(pem);
  return {
    text: withoutKeyIds(told),
    seconds: Math.round((validToDate.getTime() - validFromDate.getTime()) / 1000),
    from: timeMark(validFromDate.toISOString()),
    key: [publicKey.asymmetricKeyType, publicKey.asymmetricKeyDetails?.modulusLength ?? publicKey.asymmetricKeyDetails?.namedCurve],
  };
}

async function describeRequest(pem: string): Promise<unknown> {
  return withoutKeyIds(await must(['openssl', 'req', ...text, '-reqopt', 'no_sigdump,no_pubkey', '-verify'], { input: pem }));
}

function withoutKeyIds(told: string): string {
  return told.replace(/(Subject Key Identifier: *\n\s*)[0-9A-F:]+/, '$1an id');
}

/** A revocation list: what both kinds of list have. Ours have a number and reasons beside that, as RFC 5280 wants them to. */
async function describeCrl(base64: string): Promise<unknown> {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) return base64;
  const told = await must(['openssl', 'crl', '-inform', 'DER', '-noout', '-text', '-nameopt', 'RFC2253'], { input: bytes });
  const [from = '', until = ''] = ['Last', 'Next'].map((which) => new RegExp(`${which} Update: (.*)`).exec(told)?.[1] ?? '');
  return {
    version: /Version.*/.exec(told)?.[0],
    issuer: /Issuer: .*/.exec(told)?.[0],
    authority: /Authority Key Identifier: *\n\s*(\S+)/.exec(told)?.[1],
    seconds: (Date.parse(until) - Date.parse(from)) / 1000,
    revoked: told.match(/Serial Number: .*/g)?.length ?? 0,
  };
}

async function describeOcspResponse(base64: string): Promise<unknown> {
  // openssl opens its input by name, which a socket has not.
  const command = ['sh', '-c', 'cat | openssl ocsp -respin /dev/stdin -noverify -resp_text'];
  const told = await must(command, { input: Buffer.from(base64, 'base64') });
  // Not who answers: cfssl names itself by its name, RFO by the hash of its key, and RFC 6960 §4.2.1 has both.
  const wanted =
    /OCSP Response Status|Response Type|Hash Algorithm|Issuer (Name|Key) Hash|Cert Status|Revocation (Time|Reason)|Signature Algorithm/;
  return told
    .split('\n')
    .filter((line) => wanted.test(line))
    .map((line) => line.trim());
}

/** A time as a mark that `sameTimes` finds again. */
function timeMark(time: string): string {
  return `<time ${Date.parse(time)}>`;
}

const mark = /<time (-?\d+)>/g;
/** Two answers are given within moments; times in certificates are rounded to the minute. */
const tolerance = 120_000;

/** The second text with the times of the first, where they are nearly the same: what is left of a difference is one. */
export function sameTimes(text: string, like: string): string {
  const wanted = [...like.matchAll(mark)].map(([, time]) => Number(time));
  return text.replaceAll(mark, (own, time: string) => {
    const other = wanted.shift();
    return other !== undefined && Math.abs(other - Number(time)) <= tolerance ? `<time ${other}>` : own;
  });
}

/** Serial number and authority key of an issued certificate, as certdb has them. */
export async function numbersOf(pem: string): Promise<{ readonly serial: string; readonly authorityKeyId: string }> {
  const told = await must(['openssl', 'x509', '-noout', '-ext', 'authorityKeyIdentifier'], { input: pem });
  const id = /^\s*(?:keyid:)?([0-9A-F]{2}(?::[0-9A-F]{2})+)/m.exec(told)?.[1] ?? '';
  return { serial: BigInt(`0x${new X509Certificate(pem).serialNumber}`).toString(), authorityKeyId: id.replaceAll(':', '').toLowerCase() };
}
