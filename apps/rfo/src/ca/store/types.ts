/** What the CA remembers, in the database of cfssl (certdb): an existing one is taken over as it is. */

/** A row of `certificates`. Times are milliseconds since 1970. */
export type CertificateRecord = {
  /** Decimal. */
  readonly serial: string;
  /** Lower-case hex without colons. */
  readonly authorityKeyId: string;
  readonly caLabel: string;
  readonly status: 'good' | 'revoked';
  /** RFC 5280 §5.3.1; 0 while it is good. */
  readonly reason: number;
  readonly expiry: number;
  readonly revokedAt: number | undefined;
  /** Undefined in rows that an old cfssl wrote. */
  readonly issuedAt: number | undefined;
  readonly notBefore: number | undefined;
  /** JSON; null where nothing is known. */
  readonly metadata: unknown;
  /** DNS names, as cfssl stores them. */
  readonly sans: readonly string[];
  readonly commonName: string;
  readonly pem: string;
};

export type CertificateKey = Pick<CertificateRecord, 'serial' | 'authorityKeyId'>;

/** Written together with a certificate or not at all: a token that is used up, for example. Runs inside the transaction and must not wait. */
export type WithIt = () => void;

/** Every method that writes resolves when it is on the disk; those made at the same time share one commit. */
export type CertificateStore = {
  /** @throws ca-certificate-known, ca-store-failed (then nothing of it was written), whatever `withIt` throws */
  readonly insert: (record: CertificateRecord, withIt?: WithIt) => Promise<void>;
  readonly find: (key: CertificateKey) => CertificateRecord | undefined;
  /** Revoking once more overwrites time and reason. @throws ca-certificate-unknown, ca-store-failed */
  readonly revoke: (key: CertificateKey, how: { readonly reason: number; readonly at: number }, withIt?: WithIt) => Promise<void>;
  /** Newest first. `node` finds those of `system:node:<node>`. */
  readonly list: (filter: CertificateFilter) => readonly CertificateRecord[];
  /** Of one CA key: revoked, and not expired at that time. What a CRL lists. */
  readonly revoked: (authorityKeyId: string, at: number) => readonly CertificateRecord[];
  /** A number that only grows, kept across restarts: of CRLs (RFC 5280 §5.2.3). */
  readonly nextCrlNumber: () => Promise<bigint>;
  /** Calls back after each insert or revocation is on the disk and before it is acknowledged: what caches live by. Gives how to stop it. */
  readonly onChange: (changed: (change: Change) => void) => () => void;
  /**
   * Looks whether another process has written to the database since the last look (SQLite's data_version, a few microseconds) and, if so, calls
   * back with `anything` before it returns. Whoever answers from a cache looks first.
   */
  readonly look: () => void;
};

/** The certificate that was written, with the status it has now; `anything` where nobody can tell which. */
export type Change = (CertificateKey & Pick<CertificateRecord, 'status'>) | 'anything';

export type CertificateFilter = {
  readonly status?: 'good' | 'revoked';
  readonly node?: string;
  readonly commonName?: string;
  readonly serial?: string;
  /** Leaves out what had expired at that time. */
  readonly unexpiredAt?: number;
  readonly limit?: number;
};
