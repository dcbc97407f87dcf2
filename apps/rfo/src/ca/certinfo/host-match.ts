/** Whether a certificate is good for a host, by the rules and with the words of Go's crypto/x509 (RFC 6125). */
import { type CertificateInfo, canonicalIp } from '@rfo/pki';

/** Undefined where it is; else the sentence why it is not. The common name does not count. */
export function hostProblem(certificate: CertificateInfo, host: string): string | undefined {
  const values = (type: 'dns' | 'ip'): string[] => certificate.altNames.filter((name) => name.type === type).map(({ value }) => value);
  const [names, addresses] = [values('dns'), values('ip')];
  const ip = canonicalIp(host.replace(/^\[(.+)\]$/, '$1'));
  if (ip !== undefined) {
    if (addresses.includes(ip)) return undefined;
    if (addresses.length === 0) return `x509: cannot validate certificate for ${ip} because it doesn't contain any IP SANs`;
    return `x509: certificate is valid for ${addresses.join(', ')}, not ${ip}`;
  }
  if (names.some((pattern) => matches(pattern.toLowerCase(), host.toLowerCase()))) return undefined;
  const commonName = certificate.subject.findLast(({ type }) => type === 'CN')?.value.toLowerCase();
  if (certificate.altNames.length === 0 && commonName !== undefined && matches(commonName, host.toLowerCase()))
    return 'x509: certificate relies on legacy Common Name field, use SANs instead';
  if (names.length === 0) return `x509: certificate is not valid for any names, but wanted to match ${host}`;
  return `x509: certificate is valid for ${names.join(', ')}, not ${host}`;
}

const hostPattern = /^(\*\.)?[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_][a-z0-9_-]*)*$/;

/** A star stands for exactly one label, the leftmost. What is no host name matches itself only. */
function matches(pattern: string, host: string): boolean {
  if (!hostPattern.test(pattern) || !hostPattern.test(host.replace(/\.$/, '')))
    return pattern !== '' && pattern !== '.' && pattern === host;
  const [own, wanted] = [pattern.split('.'), host.replace(/\.$/, '').split('.')];
  return own.length === wanted.length && own.every((label, index) => label === wanted[index] || (index === 0 && label === '*'));
}
