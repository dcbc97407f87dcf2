import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Pair = { readonly cert: string; readonly key: string };

/** Makes a CA in the folder with openssl; gives the path of its certificate. */
export function makeAuthority(folder: string): string {
  openssl(folder, ['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test-ca', '-keyout', 'ca.key', '-out', 'ca.crt']);
  return join(folder, 'ca.crt');
}

/**
 * Issues a certificate of that CA, replacing one of the same name as a renewal does: by renaming new files over the old.
 * @param subject in openssl's form, `/O=system:masters/CN=admin`
 */
export function issue(folder: string, name: string, input: { readonly subject: string; readonly altNames?: string }): Pair {
  openssl(folder, ['req', ...newKey, '-subj', input.subject, '-keyout', `${name}.key.new`, '-out', `${name}.csr`]);
  const extensions = ['extendedKeyUsage=serverAuth,clientAuth', ...(input.altNames ? [`subjectAltName=${input.altNames}`] : [])];
  writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
  openssl(folder, ['x509', '-req', '-days', '2', '-in', `${name}.csr`, '-out', `${name}.crt.new`, ...signer, '-extfile', `${name}.ext`]);
  for (const file of ['key', 'crt']) renameSync(join(folder, `${name}.${file}.new`), join(folder, `${name}.${file}`));
  for (const file of ['csr', 'ext']) rmSync(join(folder, `${name}.${file}`));
  return { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];

function openssl(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}
