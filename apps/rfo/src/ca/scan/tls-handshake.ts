/** Which versions, ciphers, curves and signatures a host agrees to. Those that OpenSSL has left behind (SSL 3, RC4, 3DES) cannot be tried. */
import { getCiphers, type SecureVersion, type TLSSocket } from 'node:tls';
import type { TlsWish } from '../outbound/outbound.ts';
import { dial, handshake } from './dial.ts';
import type { Family, Finding, Target } from './types.ts';

export const tlsHandshake: Family = {
  description: 'The versions of TLS, the ciphers, curves and signatures that the host agrees to',
  scanners: {
    CipherSuite: { description: 'Ciphers of each version, in the order in which the host prefers them', scan: ciphers },
    SigAlgs: { description: 'Kinds of signature that the host makes in a handshake of TLS 1.2', scan: signatures },
    ECCurves: { description: 'Curves that the host agrees to in TLS 1.2', scan: curves },
  },
};

const versions: readonly SecureVersion[] = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1'];
const outdated: readonly SecureVersion[] = ['TLSv1.1', 'TLSv1'];

async function ciphers(target: Target): Promise<Finding> {
  const byCipher = new Map<string, SecureVersion[]>();
  for (const version of versions) {
    for (const cipher of await agreed(target, ciphersOf(version), (rest) => ({ ...only(version), ciphers: cipherList(version, rest) })))
      byCipher.set(cipher, [...(byCipher.get(cipher) ?? []), version]);
  }
  if (byCipher.size === 0) return { grade: 'Bad', error: "couldn't negotiate any cipher suites" };
  const old = [...byCipher.values()].flat().some((version) => outdated.includes(version));
  return { grade: old ? 'Warning' : 'Good', output: [...byCipher].map(([cipher, spoken]) => ({ [cipher]: spoken })) };
}

/** What of `names` the host chooses, again and again without those that it has chosen already. */
async function agreed(target: Target, names: readonly string[], wish: (rest: readonly string[]) => TlsWish): Promise<readonly string[]> {
  const chosen: string[] = [];
  for (let rest = names; rest.length > 0; rest = rest.filter((name) => !chosen.includes(name))) {
    const name = await attempt(target, wish(rest), (socket) => socket.getCipher().name);
    if (name === undefined || !rest.includes(name)) break;
    chosen.push(name);
  }
  return chosen;
}

async function curves(target: Target): Promise<Finding> {
  const known = ['X25519', 'P-256', 'P-384', 'P-521', 'X448'];
  const agreedTo: string[] = [];
  for (const curve of known) {
    const wish = { ...only('TLSv1.2'), ciphers: 'ECDHE', ecdhCurve: curve };
    if ((await attempt(target, wish, () => true)) === true) agreedTo.push(curve);
  }
  return agreedTo.length > 0 ? { grade: 'Good', output: agreedTo } : { grade: 'Bad', error: "couldn't negotiate any curves" };
}

async function signatures(target: Target): Promise<Finding> {
  const kinds = ['RSA', 'RSA-PSS', 'ECDSA'].flatMap((key) => ['SHA512', 'SHA384', 'SHA256', 'SHA1'].map((hash) => `${key}+${hash}`));
  const agreedTo: string[] = [];
  for (const kind of [...kinds, 'ed25519']) {
    const wish = { ...only('TLSv1.2'), ciphers: 'ECDHE:DHE:@SECLEVEL=0', sigalgs: kind };
    if ((await attempt(target, wish, () => true)) === true) agreedTo.push(kind);
  }
  return agreedTo.length > 0 ? { grade: 'Good', output: agreedTo } : { grade: 'Bad', error: 'no SigAlgs supported' };
}

/** Undefined where the host (or OpenSSL here) does not agree. A host that cannot be reached at all is an error. */
async function attempt<T>(target: Target, wish: TlsWish, look: (socket: TLSSocket) => T): Promise<T | undefined> {
  try {
    return await handshake(target, wish, look);
  } catch {
    target.signal.throwIfAborted();
    // Either it does not agree, or it is not there any more: that is told by whether it still takes connections.
    (await dial(target)).destroy();
    return undefined;
  }
}

function only(version: SecureVersion): TlsWish {
  return { minVersion: version, maxVersion: version };
}

/** By the names that OpenSSL gives them: those of TLS 1.3 begin with TLS_. */
function ciphersOf(version: SecureVersion): readonly string[] {
  const all = getCiphers().map((name) => name.toUpperCase());
  return all.filter((name) => name.startsWith('TLS_') === (version === 'TLSv1.3') && !/PSK|SRP/.test(name));
}

function cipherList(version: SecureVersion, names: readonly string[]): string {
  return version === 'TLSv1.3' ? names.join(':') : `${names.join(':')}:@SECLEVEL=0`;
}
