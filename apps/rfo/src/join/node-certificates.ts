/** The certificates of a node whose servers sign them: keys are made here and never leave the host. */
import type { KeyObject } from 'node:crypto';
import { fail } from '@rfo/foundation';
import { type CertificateInfo, certificateInfos, encodeKey, formatName, generateKey } from '@rfo/pki';
import type { Action, EnsuredCertificate } from '../certificates/ensured.ts';
import { defaultRenewal } from '../certificates/lifetime.ts';
import { CertificateStore } from '../certificates/store.ts';
import { certificateTable, type Use } from '../certificates/table.ts';
import { usagesOf } from '../certificates/usages.ts';
import type { Paths } from '../paths.ts';
import { joinPaths } from '../supervisor/api.ts';
import { checkIssued, findLeaf, type NodeLeafName, nodeLeafNames, requestLeaf, wantedLeaf } from './node-leaf.ts';
import type { ClientCertificate } from './server-agent.ts';
import type { SigningPath, SupervisorClient } from './supervisor-client.ts';

export type NodeCertificateInputs = {
  readonly paths: Paths;
  readonly nodeName: string;
  /** All addresses that the kubelet may be called by, external ones included. */
  readonly nodeIps: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Share of its life that a leaf has left when it is renewed; a third. */
  readonly renewal?: number;
};

/** What each of them is and what happened to it; `usedBy` names only what runs on an agent. */
export type NodeCertificates = { readonly certificates: readonly EnsuredCertificate[] };

const authorityFiles = ['client-ca', 'server-ca'] as const;
type AuthorityFile = (typeof authorityFiles)[number];

const signingPaths: Readonly<Record<NodeLeafName, SigningPath>> = {
  'client-kubelet': joinPaths.clientKubelet,
  'serving-kubelet': joinPaths.servingKubelet,
  'client-kube-proxy': joinPaths.clientKubeProxy,
  'client-rfo-controller': joinPaths.clientController,
};

const signers: Readonly<Record<NodeLeafName, AuthorityFile>> = {
  'client-kubelet': 'client-ca',
  'serving-kubelet': 'server-ca',
  'client-kube-proxy': 'client-ca',
  'client-rfo-controller': 'client-ca',
};

/**
 * Takes the CAs from a server and asks it for every certificate that is missing, due, unreadable, without one of the node's names or signed by
 * another CA. Keys stay. Everything is checked before it is written, and on the disk for good when this resolves.
 * @throws what the client throws, server-answer-invalid, certificate-untrusted, certificate-unwritable, alt-name-invalid
 */
export async function ensureNodeCertificates(
  options: NodeCertificateInputs & { readonly client: SupervisorClient; readonly nodePassword: string },
): Promise<NodeCertificates> {
  const { client, paths, nodePassword: password, nodeIps: ips, now } = options;
  const store = new CertificateStore(paths.agent.tls);
  store.makeFolders([...authorityFiles, ...nodeLeafNames]);
  const [clientCa, serverCa] = await Promise.all([client.clientCa(), client.serverCa()]);
  const authorities = { 'client-ca': readServed('client-ca', clientCa), 'server-ca': readServed('server-ca', serverCa) };
  const texts = { 'client-ca': clientCa, 'server-ca': serverCa };

  const take = async (name: AuthorityFile): Promise<EnsuredCertificate> => {
    const { action, reason } = compareAuthority(store.read(name).certificate, texts[name]);
    if (action !== 'kept') await store.writeDurable(name, { certificate: texts[name] });
    return describe(name, { store, current: authorities[name][0], action, reason });
  };
  const ask = async (name: NodeLeafName): Promise<EnsuredCertificate> => {
    const wanted = wantedLeaf(name, options);
    const authority = authorities[signers[name]];
    const { key: kept, found, broken, outdated } = findLeaf(name, { ...at(options, store), wanted, authority });
    const reason = broken ?? outdated;
    if (found !== undefined && reason === undefined) return describe(name, { store, current: found, action: 'kept', reason: 'valid' });
    const key = kept ?? generateKey();
    const csr = requestLeaf(wanted, key);
    const pem = await client.sign(signingPaths[name], { csr, password, ips });
    const current = checkIssued(name, { pem, wanted, key, authority, now });
    await store.writeDurable(name, { ...newKey(kept, key), certificate: pem });
    const action = found === undefined ? 'created' : broken === undefined ? 'renewed' : 'regenerated';
    return describe(name, { store, current, action, reason: reason ?? '', previous: found, now });
  };

  const taken = await Promise.all(authorityFiles.map(take));
  // The first one alone: it tells whether the node may join at all, and registers its password, which then is there for the others.
  const [first, ...others] = nodeLeafNames;
  return { certificates: [...taken, await ask(first), ...(await Promise.all(others.map(ask)))] };
}

/**
 * What lies on the disk, where the node can run with it while no server answers: all of it there, readable, its own and not expired. What is
 * due, or lacks a new address of the node, is good enough until a server answers. Undefined where something is not.
 */
export function keptNodeCertificates(options: NodeCertificateInputs): NodeCertificates | undefined {
  const store = new CertificateStore(options.paths.agent.tls);
  const authorities = { 'client-ca': readKept(store, 'client-ca'), 'server-ca': readKept(store, 'server-ca') };
  const certificates: EnsuredCertificate[] = [];
  for (const name of authorityFiles) {
    const [current] = authorities[name] ?? [];
    if (current === undefined || options.now >= current.notAfter) return undefined;
    certificates.push(describe(name, { store, current, action: 'kept', reason: 'on the disk' }));
  }
  for (const name of nodeLeafNames) {
    const authority = authorities[signers[name]] ?? [];
    const { found, broken, outdated } = findLeaf(name, { ...at(options, store), wanted: wantedLeaf(name, options), authority });
    if (found === undefined || broken !== undefined) return undefined;
    certificates.push(describe(name, { store, current: found, action: 'kept', reason: outdated ?? 'valid' }));
  }
  return { certificates };
}

/** By what a node that has joined shows who it is; undefined where it has to show a token. */
export function nodeClientCertificate(options: Omit<NodeCertificateInputs, 'nodeIps'>): ClientCertificate | undefined {
  const store = new CertificateStore(options.paths.agent.tls);
  const authority = readKept(store, 'client-ca');
  if (authority === undefined) return undefined;
  const wanted = wantedLeaf('client-kubelet', { nodeName: options.nodeName, nodeIps: [] });
  if (findLeaf('client-kubelet', { ...at(options, store), wanted, authority }).broken !== undefined) return undefined;
  const { certificate: cert, key } = store.read('client-kubelet');
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

type Authority = readonly [CertificateInfo, ...CertificateInfo[]];

function at({ now, renewal = defaultRenewal }: { now: number; renewal?: number }, store: CertificateStore) {
  return { store, now, renewal };
}

function newKey(kept: KeyObject | undefined, key: KeyObject): { key?: string } {
  return kept === undefined ? { key: encodeKey(key) } : {};
}

/** @throws server-answer-invalid */
function readServed(name: AuthorityFile, pem: string): Authority {
  const found = authorityOf(pem);
  if (found !== undefined) return found;
  throw fail('server-answer-invalid', { server: 'the server', what: `the file ${name}.crt`, problem: 'it is no CA in PEM' });
}

function readKept(store: CertificateStore, name: AuthorityFile): Authority | undefined {
  const { certificate } = store.read(name);
  return certificate === undefined ? undefined : authorityOf(certificate);
}

function authorityOf(pem: string): Authority | undefined {
  try {
    const [first, ...others] = certificateInfos(pem);
    return first?.ca === true ? [first, ...others] : undefined;
  } catch {
    // Whatever is in it, it is not a CA that anything could be verified by.
    return undefined;
  }
}

function compareAuthority(kept: string | undefined, served: string): { action: Action; reason: string } {
  if (kept === served) return { action: 'kept', reason: 'as the servers have it' };
  if (kept === undefined) return { action: 'created', reason: 'there was none' };
  return { action: 'regenerated', reason: 'the servers have another one' };
}

const onAgents: ReadonlySet<string> = new Set(['kubelet', 'kube-proxy', 'flannel', 'rfo']);

/** rfo itself shows the kubelet's certificate to servers and trusts their CA. */
const rfo: Use = { component: 'rfo', takes: 'callback', withinSeconds: 0 };

function describe(
  name: AuthorityFile | NodeLeafName,
  of: {
    readonly store: CertificateStore;
    readonly current: CertificateInfo;
    readonly action: Action;
    readonly reason: string;
    readonly previous?: CertificateInfo | undefined;
    readonly now?: number;
  },
): EnsuredCertificate {
  const { store, current, action, reason, previous, now } = of;
  const { kind, usedBy } = certificateTable[name];
  const uses: readonly Use[] = [...usedBy.filter(({ component }) => onAgents.has(component)), ...(name === 'client-kubelet' ? [rfo] : [])];
  const late = ({ takes, withinSeconds }: Use): boolean =>
    previous !== undefined && now !== undefined && takes === 'hot' && withinSeconds > 0 && previous.notAfter < now + withinSeconds * 1000;
  return {
    name,
    kind,
    file: store.certificateFile(name),
    subject: formatName(current.subject),
    usages: usagesOf(current),
    notBefore: current.notBefore,
    notAfter: current.notAfter,
    action,
    reason,
    // Who would notice only after the old certificate has ended is started anew.
    usedBy: uses.map((use) => (late(use) ? { ...use, takes: 'restart' } : use)),
  };
}
