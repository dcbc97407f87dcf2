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
import { type IssuedCertificates, type NodeCertificateName, nodeCertificateNames } from '../supervisor/api.ts';
import { checkIssued, type FoundLeaf, findLeaf, requestLeaf, type Wanted, wantedLeaf } from './node-leaf.ts';
import type { ClientCertificate } from './server-agent.ts';
import type { SupervisorClient } from './supervisor-client.ts';

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

const signerOf = (name: NodeCertificateName): AuthorityFile => certificateTable[name].signer;

/**
 * Takes the CAs from a server and has it make every certificate that is missing, due, unreadable, without one of the node's names or signed by
 * another CA. Keys stay. Everything is checked before anything is written, and on the disk for good when this resolves.
 * @throws what the client throws, server-answer-invalid, certificate-untrusted, certificate-unwritable, alt-name-invalid
 */
export async function ensureNodeCertificates(
  options: NodeCertificateInputs & { readonly client: SupervisorClient; readonly nodePassword: string },
): Promise<NodeCertificates> {
  const { client, paths, nodePassword: password, nodeIps: ips, now } = options;
  const store = new CertificateStore(paths.agent.tls);
  store.makeFolders([...authorityFiles, ...nodeCertificateNames]);
  const keys = new Map<NodeCertificateName, KeyObject>();
  const keyFor = ({ name, key }: Leaf): KeyObject => {
    const chosen = key ?? keys.get(name) ?? generateKey();
    keys.set(name, chosen);
    return chosen;
  };
  const certify = (leaves: readonly Leaf[]): Promise<IssuedCertificates> => {
    const requests = Object.fromEntries(leaves.map((leaf) => [leaf.name, requestLeaf(leaf.wanted, keyFor(leaf))]));
    return client.certify({ requests, password, ips });
  };

  // What is missing under the CAs that the node knows is asked for with the first question, in which the servers may tell of others.
  const asked = lookAt({ 'client-ca': readKept(store, 'client-ca'), 'server-ca': readKept(store, 'server-ca') }, options).filter(
    (leaf) => !isGood(leaf),
  );
  const answer = await certify(asked);
  const authorities = { 'client-ca': readServed('client-ca', answer), 'server-ca': readServed('server-ca', answer) };
  const leaves = lookAt(authorities, options);
  const missing = leaves.filter((leaf) => !isGood(leaf) && !asked.some(({ name }) => name === leaf.name));
  const later = missing.length === 0 ? {} : (await certify(missing)).certificates;
  const given = { ...answer.certificates, ...later };

  const checked = leaves.map((leaf) => {
    if (isGood(leaf)) return { leaf, current: leaf.found };
    const [pem = '', key] = [given[leaf.name], keyFor(leaf)];
    const current = checkIssued(leaf.name, { pem, wanted: leaf.wanted, key, authority: authorities[signerOf(leaf.name)], now });
    return { leaf, current, issued: { pem, key } };
  });
  const take = async (name: AuthorityFile): Promise<EnsuredCertificate> => {
    const text = answer.authorities[name];
    const { action, reason } = compareAuthority(store.read(name).certificate, text);
    if (action !== 'kept') await store.writeDurable(name, { certificate: text });
    return describe(name, { store, current: authorities[name][0], action, reason });
  };
  const keep = async ({ leaf, current, issued }: (typeof checked)[number]): Promise<EnsuredCertificate> => {
    const { name, found, broken, outdated } = leaf;
    if (issued === undefined) return describe(name, { store, current, action: 'kept', reason: 'valid' });
    await store.writeDurable(name, { ...newKey(leaf.key, issued.key), certificate: issued.pem });
    const action = found === undefined ? 'created' : broken === undefined ? 'renewed' : 'regenerated';
    return describe(name, { store, current, action, reason: broken ?? outdated ?? '', previous: found, now });
  };
  const taken = await Promise.all(authorityFiles.map(take));
  return { certificates: [...taken, ...(await Promise.all(checked.map(keep)))] };
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
  for (const { name, found, broken, outdated } of lookAt(authorities, options)) {
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

/** One of the leaves: what it should be, and what is found of it. */
type Leaf = FoundLeaf & { readonly name: NodeCertificateName; readonly wanted: Wanted };

function lookAt(authorities: Readonly<Record<AuthorityFile, Authority | undefined>>, options: NodeCertificateInputs): readonly Leaf[] {
  const store = new CertificateStore(options.paths.agent.tls);
  return nodeCertificateNames.map((name) => {
    const wanted = wantedLeaf(name, options);
    return { name, wanted, ...findLeaf(name, { ...at(options, store), wanted, authority: authorities[signerOf(name)] ?? [] }) };
  });
}

function isGood(leaf: Leaf): leaf is Leaf & { readonly found: CertificateInfo } {
  return leaf.found !== undefined && leaf.broken === undefined && leaf.outdated === undefined;
}

/** @throws server-answer-invalid */
function readServed(name: AuthorityFile, { authorities }: IssuedCertificates): Authority {
  const found = authorityOf(authorities[name]);
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
  name: AuthorityFile | NodeCertificateName,
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
