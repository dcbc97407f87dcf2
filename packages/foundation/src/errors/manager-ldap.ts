// Directories that people sign in by. What an administrator reads when one does not do as it is set up to.
import type { ErrorEntry } from './entry.ts';

export const managerLdapErrors = {
  'ldap-name-unknown': {
    text: 'the name of the directory server {server} is not found: {problem}',
    cure: 'Check it, and the DNS that the manager asks',
    retryable: true,
    exit: 1,
  },
  'ldap-unreachable': {
    text: 'the directory server {server} cannot be reached: {problem}',
    cure: 'Check its address and port, that it runs, and that the manager is let through to it',
    retryable: true,
    exit: 1,
  },
  'ldap-untrusted': {
    text: 'the certificate of the directory server {server} is not trusted: {problem}',
    cure: 'Set caBundle to the CA of its certificate, and name the server as its certificate does',
    retryable: false,
    exit: 1,
  },
  'ldap-ca-invalid': {
    text: 'caBundle holds no CA that can be read: {problem}',
    cure: 'Give one or more certificates in PEM',
    retryable: false,
    exit: 2,
  },
  'ldap-tls-failed': {
    text: 'the directory server {server} does not speak TLS as it is set: {problem}',
    cure: 'security is tls for a port that speaks TLS at once (636) and start-tls for one that changes to it (389); the server needs a certificate',
    retryable: false,
    exit: 1,
  },
  'ldap-bind-refused': {
    text: 'the directory server {server} does not let the manager in as {who}: {problem}',
    cure: 'Check bindDn and its password; without bindDn the server has to allow anonymous searches',
    retryable: false,
    exit: 1,
  },
  'ldap-base-unknown': {
    text: 'the directory server {server} has no {base} to search in, or does not show it',
    cure: 'Check userBase and groupBase, and that the account of bindDn may read them',
    retryable: false,
    exit: 1,
  },
  'ldap-filter-invalid': {
    text: '{what} is no filter: {problem}',
    cure: 'Write it as RFC 4515 has it: (objectClass=person)',
    retryable: false,
    exit: 2,
  },
  'ldap-none-found': {
    text: 'the directory has no {what} below {base} for {filter}',
    cure: 'Compare base, filter and attributes with one entry, and check that the account of bindDn may read them',
    retryable: false,
    exit: 1,
  },
  'ldap-attribute-missing': {
    text: 'the directory does not show the attribute {attribute} of {dn}',
    cure: 'Choose the preset that fits, name the attribute in attributes, or let the account of bindDn read it',
    retryable: false,
    exit: 1,
  },
  'ldap-unanswered': {
    text: 'the directory server {server} has not answered: {problem}',
    cure: 'Try again; if it stays so, look at the server and at timeoutSeconds',
    retryable: true,
    exit: 1,
  },
  'ldap-refused': {
    text: 'the directory server {server} does not do what it was asked: {problem}',
    cure: 'The log of the server says why',
    retryable: false,
    exit: 1,
  },
  'ldap-too-much': {
    text: 'the directory server {server} gives only a part of what was asked for: {problem}',
    cure: 'Raise the limits that it has for the account of bindDn, or narrow groupBase and groupFilter',
    retryable: false,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
