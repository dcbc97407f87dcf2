/** What a certificate for a node is: `system:node:<its name>` in `system:nodes`, its own names and addresses, and nothing else. */
import { BlockList } from 'node:net';
import { type AltName, identity, ipToBytes, type Name } from '@rfo/pki';
import { CfsslError } from '../cfssl-error.ts';
import { isNodeName, matchesNode } from '../tokens/node-pattern.ts';
import type { Draft, Rule } from './types.ts';

export type NodeLimits = {
  /** A name, or a pattern in which `*` stands for a run of letters, digits and dashes. Without it: the name that is asked for. */
  readonly node?: string;
  /** CIDRs that the addresses in the certificate must lie in; empty: any. */
  readonly addresses?: readonly string[];
};

/**
 * The rule of a join token, and of a profile with `rfo_bind: "node"`. It forces the subject, whatever groups were asked for. Only the name has to be
 * the right one: whoever asks for that of another node is refused, not given his own. A certificate for clients alone gets no alternative names, as
 * Kubernetes forbids them there (kubernetes.io/kube-apiserver-client-kubelet); in others they are the node's name, names below it, and addresses.
 * Gives CfsslError 5300 for a CA, 5500 for a name or an address that is not the node's.
 */
export function nodeRule({ node, addresses = [] }: NodeLimits): Rule {
  const allowed = addressList(addresses);
  return (draft) => {
    if (draft.isCa) throw new CfsslError(5300, 'a node cannot be a CA');
    const name = draft.node ?? boundName(nodeNameOf(draft.subject), node);
    const clientOnly = draft.usages.includes('clientAuth') && !draft.usages.includes('serverAuth');
    const altNames = clientOnly ? [] : draft.altNames;
    const foreign = altNames.find((altName) => !belongs(altName, name, allowed));
    if (foreign !== undefined) throw new CfsslError(5500, `${foreign.value} is neither a name nor an allowed address of the node ${name}`);
    return { ...draft, node: name, subject: identity(`${nodePrefix}${name}`, [nodeGroup]), altNames };
  };
}

/** The node that a subject speaks of: `worker-1` of `CN=system:node:worker-1`, or of `CN=worker-1`. Undefined where there is no common name. */
export function nodeNameOf(subject: Name): string | undefined {
  const commonName = subject.findLast(({ type }) => type === 'CN')?.value;
  return commonName?.startsWith(nodePrefix) ? commonName.slice(nodePrefix.length) : commonName;
}

/** Whether a subject is exactly that of a node's identity. */
export function isNodeIdentity(subject: Name, node: string): boolean {
  const wanted = identity(`${nodePrefix}${node}`, [nodeGroup]);
  return (
    subject.length === wanted.length && wanted.every(({ type, value }, at) => subject[at]?.type === type && subject[at].value === value)
  );
}

const nodePrefix = 'system:node:';
const nodeGroup = 'system:nodes';

/** Names below these are the API server's, or every host's own. */
const reserved: ReadonlySet<string> = new Set(['kubernetes', 'localhost']);

function boundName(asked: string | undefined, bound: string | undefined): string {
  const name = asked ?? bound ?? '';
  if (bound !== undefined && !matchesNode(bound, name)) throw new CfsslError(5500, `the name ${name} is not that of the node ${bound}`);
  if (!isNodeName(name)) throw new CfsslError(5500, `"${name}" is no name of a node`);
  if (name !== bound && reserved.has(name)) throw new CfsslError(5500, `"${name}" is not a name for a node`);
  return name;
}

function belongs({ type, value }: AltName, node: string, allowed: BlockList | undefined): boolean {
  if (type === 'dns') return value === node || value.startsWith(`${node}.`);
  return type === 'ip' && (allowed?.check(value, value.includes(':') ? 'ipv6' : 'ipv4') ?? true);
}

/** Undefined: any address. */
function addressList(cidrs: readonly string[]): BlockList | undefined {
  if (cidrs.length === 0) return undefined;
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/');
    const bits = (ipToBytes(address)?.length ?? 0) * 8;
    list.addSubnet(address, prefix === undefined ? bits : Number(prefix), bits === 128 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/** Whether the draft speaks of any identity of Kubernetes. */
export function systemNames({ subject }: Draft): readonly string[] {
  return subject.filter(({ type, value }) => (type === 'CN' || type === 'O') && value.startsWith('system:')).map(({ value }) => value);
}
