/** What the servers are asked, rendered once: both get the same bytes. */
import { createHmac } from 'node:crypto';
import {
  type CertificateInfo,
  createOcspRequest,
  createSigningRequest,
  encodePem,
  generateKeyAside,
  hostNames,
  identity,
  ocspCertificateId,
} from '@rfo/pki';

/** How many different keys ask for certificates. */
const pool = 32;

/** `POST authsign` of RSA-2048 requests, as `cfssl gencert` sends them. */
export async function renderAuthsign(sharedKey: string): Promise<readonly string[]> {
  const requests: string[] = [];
  for (let number = 0; number < pool; number++) {
    const node = `worker-${number}`;
    const subject = identity(`system:node:${node}`, ['system:nodes']);
    const der = createSigningRequest({ subject, altNames: hostNames([node, `10.0.0.${number + 1}`]) }, await generateKeyAside('RSA-2048'));
    const wish = { hosts: null, certificate_request: encodePem('CERTIFICATE REQUEST', der), profile: 'node', crl_override: '', label: '' };
    const request = Buffer.from(JSON.stringify(wish));
    const token = createHmac('sha256', Buffer.from(sharedKey, 'hex')).update(request).digest('base64');
    requests.push(renderPost('/api/v1/cfssl/authsign', JSON.stringify({ timestamp: 1, token, request: request.toString('base64') })));
  }
  return requests;
}

export function renderInfo(): readonly string[] {
  return [renderPost('/api/v1/cfssl/info', JSON.stringify({ label: 'primary' }))];
}

/** Questions for the status of certificates, by SHA-1 as most clients ask. */
export function renderOcsp(
  ca: CertificateInfo,
  serials: readonly bigint[],
): { readonly post: readonly string[]; readonly get: readonly string[] } {
  const issuer = { name: ca.rawSubject, publicKey: ca.publicKey };
  const requests = serials.map((serial) => createOcspRequest({ certificates: [ocspCertificateId(serial, issuer, 'sha1')] }));
  return {
    post: requests.map((request) => renderPost('/', request.toString('latin1'), 'application/ocsp-request')),
    get: requests.map((request) => `GET /${encodeURIComponent(request.toString('base64'))} HTTP/1.1\r\n${headers}\r\n`),
  };
}

const headers = 'Host: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n';

/** @param body latin1 */
function renderPost(path: string, body: string, type = 'application/json'): string {
  return `POST ${path} HTTP/1.1\r\n${headers}Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}
