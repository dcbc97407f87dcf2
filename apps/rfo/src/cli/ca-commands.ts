// The commands of the certificate authority, as `commands.ts` has all others.
import type { Command } from './command.ts';
import { trimHeap } from './trim-heap.ts';

const options = async () => await (await import('@rfo/schema')).loadCaOptions();

export const caCommands = {
  'ca init': {
    summary: 'Make a certificate authority: keys, certificates, profiles, database',
    usage: '[--host NAME,ADDRESS] [--intermediate FOLDER] [flags]',
    options: async () => (await options()).caInitConfig,
    load: async () => (await import('../commands/ca/init.ts')).initAuthority,
  },
  'ca serve': {
    summary: 'Run the certificate authority: CFSSL API, OCSP, CRL',
    usage: '[flags]',
    options: async () => (await options()).caServeConfig,
    load: async () => {
      trimHeap();
      return (await import('../commands/ca/serve.ts')).serveAuthority;
    },
  },
  'ca sign': {
    summary: 'Sign a certificate signing request',
    usage: '[flags] REQUEST.csr',
    options: async () => (await options()).caSignConfig,
    load: async () => (await import('../commands/ca/sign.ts')).signRequest,
  },
  'ca gencert': {
    summary: 'Make a key and a certificate for it, as cfssl gencert does',
    usage: '[flags] REQUEST.json',
    options: async () => (await options()).caGencertConfig,
    load: async () => (await import('../commands/ca/gencert.ts')).generateCertificate,
  },
  'ca revoke': {
    summary: 'Revoke a certificate, or all of a node and its place in the cluster',
    usage: '--serial NUMBER|--node NAME [flags]',
    options: async () => (await options()).caRevokeConfig,
    load: async () => (await import('../commands/ca/revoke.ts')).revokeCertificates,
  },
  'ca crl': {
    summary: 'Write the list of revoked certificates',
    usage: '[--pem] [--out FILE] [flags]',
    options: async () => (await options()).caCrlConfig,
    load: async () => (await import('../commands/ca/crl.ts')).writeRevocationList,
  },
  'ca ocsp': {
    summary: 'Ask a responder about a certificate',
    usage: '[--url ADDRESS] CERTIFICATE.pem',
    options: async () => (await options()).caOcspConfig,
    load: async () => (await import('../commands/ca/ocsp.ts')).askResponder,
  },
  'ca list': {
    summary: 'List the certificates that were issued',
    usage: '[--node NAME] [--expiring 7d] [flags]',
    options: async () => (await options()).caListConfig,
    load: async () => (await import('../commands/ca/list.ts')).listCertificates,
  },
  'ca info': {
    summary: 'Tell what the authority is: its pin, how long it lasts, what it has issued',
    usage: '[flags]',
    options: async () => (await options()).caInfoConfig,
    load: async () => (await import('../commands/ca/info.ts')).describeAuthority,
  },
  'ca audit': {
    summary: 'Check that the audit log is whole: every line follows from the one before',
    usage: '[flags]',
    options: async () => (await options()).caAuditConfig,
    load: async () => (await import('../commands/ca/audit.ts')).checkAudit,
  },
  'ca rotate': {
    summary: 'Replace the key of the authority, with an overlap',
    usage: '[--finish] [flags]',
    options: async () => (await options()).caRotateConfig,
    load: async () => (await import('../commands/ca/rotate.ts')).rotateAuthority,
  },
  'ca token create': {
    summary: 'Make a token that a node gets its certificates with, and print it',
    usage: '--node NAME|--pattern PATTERN [--ttl 24h] [flags]',
    options: async () => (await options()).caTokenCreateConfig,
    load: async () => (await import('../commands/ca/token.ts')).createJoinToken,
  },
  'ca token list': {
    summary: 'List the join tokens of the authority and their uses, without their keys',
    usage: '[-o table|json] [flags]',
    options: async () => (await options()).caTokenListConfig,
    load: async () => (await import('../commands/ca/token.ts')).listJoinTokens,
  },
  'ca token delete': {
    summary: 'Delete join tokens of the authority',
    usage: 'ID... [flags]',
    options: async () => (await options()).caTokenDeleteConfig,
    load: async () => (await import('../commands/ca/token.ts')).deleteJoinTokens,
  },
  'ca join-config': {
    summary: 'Write what a host is told at its first boot, so that it joins with nothing typed',
    usage: '--for agent|kubelet --node NAME|--pattern PATTERN [flags]',
    options: async () => (await options()).caJoinConfig,
    load: async () => (await import('../commands/ca/join-config.ts')).writeJoinConfig,
  },
} as const satisfies Record<string, Command>;
