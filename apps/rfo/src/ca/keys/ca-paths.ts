/** Where the files of a CA lie below its folder, of which each is 0600. */
import { join } from 'node:path';

export type CaPaths = ReturnType<typeof caPaths>;

/** @param dir folder of the CA (`--dir`) */
export function caPaths(dir: string) {
  const at = (name: string): string => join(dir, name);
  return {
    dir,
    /** What signs. */
    ca: at(names.ca),
    caKey: at(names.caKey),
    /** Every root that clients are to trust: two of them while the key is being replaced. */
    bundle: at(names.bundle),
    /** What stands between a leaf and those roots: an intermediate CA, a new CA signed by the old one. May be missing. */
    chain: at(names.chain),
    /** The CAs whose certificates clients are known by; written anew at each start. */
    clients: at('ca-clients.pem'),
    config: at(names.config),
    database: at(names.database),
    responder: at('ocsp.pem'),
    responderKey: at('ocsp-key.pem'),
    tls: at('tls.pem'),
    tlsKey: at('tls-key.pem'),
    /** The CA before this one, as long as it still answers for what it signed. */
    previous: {
      dir: at('previous'),
      ca: at(names.previousCa),
      caKey: at(names.previousKey),
      responder: at('previous/ocsp.pem'),
      responderKey: at('previous/ocsp-key.pem'),
    },
  };
}

/** Relative to the folder, for changes of several files at once. */
export const names = {
  ca: 'ca.pem',
  caKey: 'ca-key.pem',
  bundle: 'ca-bundle.pem',
  chain: 'ca-chain.pem',
  config: 'ca-config.json',
  database: 'certdb.db',
  previousCa: 'previous/ca.pem',
  previousKey: 'previous/ca-key.pem',
  /** The old CA signed by the new one, for whoever trusts the new one alone. */
  crossSigned: 'previous/ca-cross-signed.pem',
} as const;

/** Files of the root in the folder of `--intermediate`. */
export function rootPaths(dir: string) {
  return { dir, ca: join(dir, 'root.pem'), caKey: join(dir, 'root-key.pem') };
}
