/** Whom connections to providers trust. Reading the CAs of a host takes a quarter of a second in which nothing else happens, so it is done once. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

const made = new Map<string, SecureContext>();
/** A manager has a few providers. */
const most = 32;

/**
 * The same for the same CAs; those of the host are read anew when the manager starts.
 * @param wish.ca further CAs, in PEM @param wish.host whether those of the host count as well
 */
export function trustedContext({ ca, host }: { readonly ca: string | undefined; readonly host: boolean }): SecureContext {
  const key = `${host} ${ca}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const own = ca === undefined ? [] : [ca];
  // What the host and Node have in common is read once.
  const all = host ? [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...own])] : own;
  const context = createSecureContext({ ca: all, minVersion: 'TLSv1.2' });
  const [oldest] = made.keys();
  if (made.size >= most && oldest !== undefined) made.delete(oldest);
  made.set(key, context);
  return context;
}

/**
 * The certificates of a text in PEM, one behind the other: OpenSSL leaves out what it cannot read, and says nothing.
 * Throws an Error that says what is wrong where there is none, or one that cannot be read.
 */
export function certificatesIn(caBundle: string): string {
  const found = caBundle.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  if (found.length === 0) throw new Error('there is no certificate in it');
  return found.map((pem) => new X509Certificate(pem).toString()).join('');
}
