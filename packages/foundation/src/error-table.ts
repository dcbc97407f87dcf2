/**
 * Every error a user can meet: a stable code, one sentence that says what is wrong, one that says what to do about it.
 * `{name}` in a text is filled from the parameters of `fail`; a missing parameter is a type error.
 * `exit` is the exit code of a command that ends with the error (2: wrong input, 3: the host is not ready, 1: the rest).
 */
export type ErrorEntry = { readonly text: string; readonly cure: string; readonly retryable: boolean; readonly exit: 1 | 2 | 3 };

export const errorTable = {
  'internal': { text: '{what}', cure: 'This is a defect of RFO: report it with the log', retryable: false, exit: 1 },
  'config-unknown-key': { text: 'unknown key "{key}" in {where}', cure: '{suggestion}', retryable: false, exit: 2 },
  'config-invalid': { text: '{key} in {where}: {problem}', cure: '{cure}', retryable: false, exit: 2 },
  'config-unreadable': {
    text: 'cannot read {file}: {problem}',
    cure: 'Give a readable YAML file of "key: value" lines',
    retryable: false,
    exit: 2,
  },
  'flag-unknown': { text: 'unknown flag {flag} of rfo {command}', cure: '{suggestion}', retryable: false, exit: 2 },
  'command-unknown': { text: 'unknown command "{command}"', cure: '{suggestion}', retryable: false, exit: 2 },
  'token-unreadable': { text: '{key}: cannot read {file}: {problem}', cure: 'Write the token there, readable by root', retryable: false, exit: 2 },
  'token-mismatch': { text: 'the configured token is not the one this cluster was made with ({file})', cure: 'Remove the setting, or give the old token', retryable: false, exit: 2 },
  'data-in-use': { text: 'another rfo (pid {pid}) runs on {dir}', cure: 'Stop it, or give this one its own data-dir', retryable: false, exit: 3 },
  'data-newer': { text: '{dir} was written by a newer version ({part} {found}, this is {own})', cure: 'Install that version again; going back needs a snapshot of the old one', retryable: false, exit: 3 },
  'data-unreadable': { text: '{file} is damaged', cure: 'Restore the data directory from a backup; remove the file only if you know what wrote it', retryable: false, exit: 3 },
  'bundle-missing': { text: 'the Kubernetes binaries are not in {dir}', cure: 'Build them with: npm run components', retryable: false, exit: 3 },
  'not-root': { text: '{what} needs root', cure: 'Run it as root, for example with sudo', retryable: false, exit: 3 },
  'node-address-missing': {
    text: 'this host has no address that other hosts could reach it by',
    cure: 'Give an interface an address, or name one with node-ip',
    retryable: false,
    exit: 3,
  },
  'node-address-foreign': {
    text: 'node-ip {address} is not an address of this host, which has: {found}',
    cure: 'Name one of these',
    retryable: false,
    exit: 2,
  },
  'node-name-invalid': {
    text: '"{name}" cannot be the name of a node',
    cure: 'Give a host name or node-name of lower-case letters, digits, "-" and "."',
    retryable: false,
    exit: 2,
  },
  'cgroups-missing': {
    text: 'no cgroups are mounted on /sys/fs/cgroup',
    cure: 'Boot with them, or without systemd: mount -t cgroup2 none /sys/fs/cgroup',
    retryable: false,
    exit: 3,
  },
  'kernel-defaults': {
    text: 'protect-kernel-defaults is set, and {found}',
    cure: 'Run: rfo check --fix, or leave protect-kernel-defaults out',
    retryable: false,
    exit: 3,
  },
  'sysctl-refused': {
    text: 'cannot set {key} to {value}: {problem}',
    cure: 'Set it in /etc/sysctl.d of the host that this one runs on',
    retryable: false,
    exit: 3,
  },
  'resolv-conf-missing': { text: 'resolv-conf {file} cannot be read: {problem}', cure: 'Name a readable file', retryable: false, exit: 2 },
  'host-not-ready': { text: 'this host cannot run it: {problems}', cure: '{cure}', retryable: false, exit: 3 },
  'process-not-started': { text: '{name} cannot be started from {path}: {problem}', cure: 'Install it again, or free what it needs', retryable: false, exit: 1 },
  'process-stuck': {
    text: '{name} (pid {pid}) did not end, not even by SIGKILL',
    cure: 'The kernel holds it, mostly for storage that does not answer: see /proc/{pid}/stack',
    retryable: true,
    exit: 1,
  },
  'process-record-invalid': {
    text: '{file} is not a process record: {problem}',
    cure: 'End the process that it stands for, then remove the file',
    retryable: false,
    exit: 1,
  },
  'tool-missing': { text: '{what} is missing', cure: '{cure}', retryable: false, exit: 3 },
  'host-packages-failed': {
    text: 'installing host packages failed: {problem}',
    cure: 'Install them by hand and start again: {command}',
    retryable: true,
    exit: 3,
  },
  'process-failed': { text: '{name} ended with {status}{output}', cure: 'Its log says why: {log}', retryable: true, exit: 1 },
  'component-need-failed': { text: '{name} cannot start: it needs {need}, which failed', cure: '{cause}', retryable: false, exit: 1 },
  'component-unhealthy': { text: '{name} failed {times} health checks in a row: {problem}', cure: 'Its log says why: {log}', retryable: true, exit: 1 },
  'certificate-unreadable': {
    text: 'cannot read {where}: {problem}',
    cure: 'Put a certificate in PEM there, or remove the file if RFO made it',
    retryable: false,
    exit: 1,
  },
  'certificate-untrusted': {
    text: 'the certificate {subject} is not to be trusted: {problem}',
    cure: 'Check the clocks of both sides and which CA signed it',
    retryable: false,
    exit: 1,
  },
  'key-unreadable': { text: 'cannot read the private key {where}: {problem}', cure: 'Put a private key in PEM there', retryable: false, exit: 1 },
  'key-unsupported': { text: 'a private key {kind} cannot sign here', cure: 'Use P-256, P-384 or RSA', retryable: false, exit: 2 },
  'alt-name-invalid': {
    text: '"{name}" cannot be in a certificate: {problem}',
    cure: 'Give host names and IP addresses, for example in tls-san',
    retryable: false,
    exit: 2,
  },
  'signing-request-invalid': { text: 'the certificate signing request is refused: {problem}', cure: 'Make it anew', retryable: false, exit: 1 },
  'authority-unusable': { text: 'the certificate authority {file} cannot be used: {problem}', cure: '{cure}', retryable: false, exit: 1 },
  'timeout': { text: '{what} did not happen within {seconds} s', cure: '{cure}', retryable: true, exit: 1 },
} as const satisfies Record<string, ErrorEntry>;
