/** Certificates of nodes, made from their signing requests: who and what one is good for is decided here and never by the request. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, fail } from '@rfo/foundation';
import { whileUnchanged } from '@rfo/http';
import { bytesToIp, certificateInfo, encodePem, hostNames, ipToBytes, issueCertificate, readSigningRequest } from '@rfo/pki';
import { type Authority, readAuthority } from '../certificates/authority.ts';
import { validity } from '../certificates/lifetime.ts';
import { CertificateStore } from '../certificates/store.ts';
import { type AuthorityName, certificateTable } from '../certificates/table.ts';
import { checkNodeName } from '../host/facts.ts';
import type { Paths } from '../paths.ts';
import type { EtcdPeer, NodeCertificateName } from './api.ts';

export type NodeIdentity = { readonly nodeName: string; readonly nodeIps: readonly string[] };

export type NodeCertificates = {
  /**
   * The certificate for the key of a signing request, and the CAs above it, as PEM.
   * @param request DER; only its key and the proof that the sender has it count
   * @throws signing-request-invalid, join-name-reserved, authority-unusable
   */
  readonly issue: (name: NodeCertificateName, request: Uint8Array, node: NodeIdentity) => string;
};

/** @param input `leafLifetime` in milliseconds; `servers` as addresses with a host in them */
export function createNodeCertificates(input: {
  readonly paths: Paths;
  readonly clock: Clock;
  readonly leafLifetime: number;
  readonly servers: () => readonly string[];
}): NodeCertificates {
  const { paths, clock, leafLifetime, servers } = input;
  const authorities = { 'client-ca': authorityReader('client-ca', paths, clock), 'server-ca': authorityReader('server-ca', paths, clock) };
  const servingNames = servingNamesReader(paths);
  const memberHosts = memberHostsReader(paths);
  return {
    issue: (name, request, { nodeName, nodeIps }) => {
      const row = certificateTable[name];
      const reserved = new Set([...servingNames(), ...servers().map(hostOf), ...memberHosts()]);
      for (const wanted of [nodeName, ...nodeIps]) if (reserved.has(wanted)) throw fail('join-name-reserved', { name: wanted });
      const { signer, above } = authorities[row.signer]();
      const publicKey = publicKeyOf(request);
      // What else the rows are rendered from has no part in those of a node.
      const inputs = { nodeName, nodeIps, serviceIps: [], clusterDomain: '', tlsSans: [], advertiseAddress: '' };
      const wish = { subject: row.subject(inputs), usages: row.usages, altNames: hostNames(row.hosts(inputs)), publicKey };
      const leaf = issueCertificate({ ...wish, ...validity(clock.now(), leafLifetime) }, signer);
      return encodePem('CERTIFICATE', leaf) + above;
    },
  };
}

/** More addresses than this no node has. */
const mostAddresses = 8;

/**
 * Who asks, from the headers of the request: the name in lower case, addresses in canonical spelling.
 * @throws node-name-invalid, request-invalid
 */
export function readNodeIdentity(headers: { readonly name: string | undefined; readonly ips: string | undefined }): NodeIdentity {
  const { name, ips = '' } = headers;
  if (name === undefined || name === '') throw fail('request-invalid', { problem: 'it does not say which node it is from' });
  const texts = ips.split(',').map((text) => text.trim());
  const given = texts.filter((text) => text !== '');
  if (given.length > mostAddresses) throw fail('request-invalid', { problem: `it names more than ${mostAddresses} addresses of the node` });
  const nodeIps = given.map((text) => {
    const address = plainAddress(text);
    if (address === undefined) throw fail('request-invalid', { problem: 'an address of the node is no IP address' });
    return address;
  });
  return { nodeName: checkNodeName(name.toLowerCase()), nodeIps };
}

/** An IPv4 address in the clothes of an IPv6 one is taken for what it is, as Go's verifiers do: it would pass every comparison else. */
function plainAddress(text: string): string | undefined {
  const bytes = ipToBytes(text);
  const mapped = bytes?.length === 16 && bytes.subarray(0, 12).equals(mappedPrefix);
  return bytes && bytesToIp(mapped ? bytes.subarray(12) : bytes);
}

const mappedPrefix = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** `above`: what goes with each certificate, as PEM. */
type Issuer = Pick<Authority, 'signer'> & { readonly above: string };

function authorityReader(name: Extract<AuthorityName, 'client-ca' | 'server-ca'>, paths: Paths, clock: Clock): () => Issuer {
  const store = new CertificateStore(paths.server.tls);
  const files = [store.certificateFile(name), store.keyFile(name)];
  return whileUnchanged(files, () => {
    const authority = readAuthority(name, { store, now: clock.now() });
    // One that has ended is renewed by who looks after the certificates; nothing is signed by what is not on the disk.
    const cure = 'It is renewed within a minute; if not, the log says why';
    if (authority.write !== undefined) throw fail('authority-unusable', { file: files.join(), problem: authority.reason, cure });
    const { signer, chain } = authority;
    const above = chain.map(({ der }) => der);
    const isRoot = !above.some((der) => der.equals(signer.certificate.der));
    const all = [...above, ...(isRoot ? [signer.certificate.der] : [])];
    return { signer, above: all.map((der) => encodePem('CERTIFICATE', der)).join('') };
  });
}

/**
 * The names and addresses of the API server: a node that had one of them in a certificate of the same CA could answer in its place. The names of
 * the local host are not among them: those every kubelet has.
 */
function servingNamesReader(paths: Paths): () => readonly string[] {
  const file = join(paths.server.tls, 'serving-kube-apiserver.crt');
  const own = new Set(['localhost', '127.0.0.1', '::1']);
  return whileUnchanged([file], () => {
    const { altNames } = certificateInfo(readFileSync(file, 'utf8'), file);
    return altNames.map(({ value }) => value).filter((value) => !own.has(value));
  });
}

/** The addresses of servers with etcd, which need not have an API server: they answer on port 9345 with a certificate of the same CA. */
function memberHostsReader({ server }: Paths): () => readonly string[] {
  const read = whileUnchanged([server.etcdMembers], () => {
    const members: readonly EtcdPeer[] = JSON.parse(readFileSync(server.etcdMembers, 'utf8'));
    return members.flatMap(({ peerUrls }) => peerUrls.map(hostOf));
  });
  // A cluster that has just begun has noted none yet.
  return () => (existsSync(server.etcdMembers) ? read() : []);
}

function hostOf(address: string): string {
  const hostname = URL.parse(address.includes('://') ? address : `https://${address}`)?.hostname ?? address;
  return plainAddress(hostname.replace(/^\[|\]$/g, '')) ?? hostname;
}

/** DER of a key that is worth a certificate: P-256 or P-384 by name, or RSA of a usual size. */
function publicKeyOf(request: Uint8Array): Buffer {
  const { publicKey, key } = readSigningRequest(request);
  const { namedCurve = '', modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  // The length tells a curve by its name from one whose parameters are spelled out, which other verifiers read in other ways.
  const good =
    key.asymmetricKeyType === 'ec'
      ? curveSizes[namedCurve] === publicKey.length
      : key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 && modulusLength <= 4096 && publicExponent === 65_537n;
  if (!good) throw fail('signing-request-invalid', { problem: 'its key is neither P-256 nor P-384 nor RSA of 2048 to 4096 bits' });
  return publicKey;
}

const curveSizes: Readonly<Record<string, number>> = { prime256v1: 91, secp384r1: 120 };
