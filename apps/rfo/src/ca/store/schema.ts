/**
 * The tables: those of cfssl's certdb to the letter (its migrations 001 and 002, and the list that goose keeps of them), so that cfssl can go on with
 * the file, and ours beside them, which begin with `rfo_` and which cfssl does not look at. No STRICT: an SQLite before 3.37 would refuse the whole file.
 */

/** Of migration 001: what every certdb has. */
export const firstColumns = [
  'serial_number',
  'authority_key_identifier',
  'ca_label',
  'status',
  'reason',
  'expiry',
  'revoked_at',
  'pem',
] as const;

/** Of migration 002, with what each is added as. */
export const laterColumns = {
  issued_at: 'timestamp',
  not_before: 'timestamp',
  metadata: 'text',
  sans: 'text',
  common_name: 'text',
} as const;

export const createCertificateTable = `
CREATE TABLE certificates (
  serial_number            blob NOT NULL,
  authority_key_identifier blob NOT NULL,
  ca_label                 blob,
  status                   blob NOT NULL,
  reason                   int,
  expiry                   timestamp,
  revoked_at               timestamp,
  pem                      blob NOT NULL,
  PRIMARY KEY(serial_number, authority_key_identifier)
);`;

export const createResponses = `
CREATE TABLE ocsp_responses (
  serial_number            blob NOT NULL,
  authority_key_identifier blob NOT NULL,
  body                     blob NOT NULL,
  expiry                   timestamp,
  PRIMARY KEY(serial_number, authority_key_identifier),
  FOREIGN KEY(serial_number, authority_key_identifier) REFERENCES certificates(serial_number, authority_key_identifier)
);`;

export function addColumn(name: keyof typeof laterColumns): string {
  return `ALTER TABLE certificates ADD COLUMN "${name}" ${laterColumns[name]};`;
}

/** goose's list of migrations that are done. */
export const createMigrations = `
CREATE TABLE goose_db_version (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  version_id INTEGER NOT NULL,
  is_applied INTEGER NOT NULL,
  tstamp TIMESTAMP DEFAULT (datetime('now'))
);`;

/** The last migration of cfssl that this version knows, and the version of our own tables. */
export const lastMigration = 2;
export const schemaVersion = 1;

/**
 * `rfo_tokens.key` is the HMAC key itself: a hash of it would verify nothing, and whatever could be derived from it to verify with could forge as well. The
 * file is 0600 for that. `rfo_audit` holds the lines of the audit log that may not have reached the disk yet, and always the last one.
 */
export const createOurs = `
CREATE TABLE rfo_state (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO rfo_state VALUES ('schema', ${schemaVersion}), ('crl_number', 0);
CREATE TABLE rfo_tokens (
  id          TEXT PRIMARY KEY,
  key         BLOB NOT NULL,
  node        TEXT NOT NULL,
  profiles    TEXT NOT NULL,
  addresses   TEXT NOT NULL,
  max_nodes   INTEGER NOT NULL,
  description TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER
);
CREATE TABLE rfo_token_uses (
  token            TEXT NOT NULL REFERENCES rfo_tokens(id) ON DELETE CASCADE,
  node             TEXT NOT NULL,
  profile          TEXT NOT NULL,
  public_key_hash  TEXT NOT NULL,
  serial           TEXT NOT NULL,
  authority_key_id TEXT NOT NULL,
  at               INTEGER NOT NULL,
  PRIMARY KEY (token, node, profile)
) WITHOUT ROWID;
CREATE TABLE rfo_audit (seq INTEGER PRIMARY KEY, start INTEGER NOT NULL, next INTEGER NOT NULL, line TEXT NOT NULL);
CREATE INDEX rfo_certificates_revoked ON certificates (authority_key_identifier, expiry) WHERE status = 'revoked';
CREATE INDEX rfo_certificates_common_name ON certificates (common_name);
CREATE INDEX rfo_certificates_old ON certificates (serial_number) WHERE common_name IS NULL OR length(authority_key_identifier) = 0;`;
