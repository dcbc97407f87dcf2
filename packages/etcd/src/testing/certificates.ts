import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a CA (`ca.crt`, `ca.key`) in the folder. */
export function makeAuthority(folder: string): void {
  openssl(folder, ['req', '-x509', ...newKey, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.crt']);
}

/** Issues `<name>.crt` and `<name>.key`, over what is there. With both usages: the gateway dials etcd with etcd's own certificate. */
export function issue(folder: string, name: string): void {
  const extensions = `${name}.ext`;
  writeFileSync(join(folder, extensions), 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=IP:127.0.0.1');
  openssl(folder, ['req', ...newKey.slice(0, 5), '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`]);
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  openssl(folder, ['x509', '-req', '-days', '2', '-in', `${name}.csr`, '-out', `${name}.crt`, ...signer, '-extfile', extensions]);
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}
