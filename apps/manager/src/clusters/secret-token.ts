/** The two secrets of an agent: the one in an import address, and the one that its cluster has afterwards. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `register`: from the import address, good once. `cluster`: of one cluster, until it is rotated. `id` is public. */
export type AgentToken =
  | { readonly kind: 'register'; readonly id: string; readonly secret: string }
  | { readonly kind: 'cluster'; readonly cluster: string; readonly id: string; readonly secret: string };

const registerForm = /^rfor_([0-9a-f]{12})_([0-9a-f]{64})$/;
const clusterForm = /^rfoc_([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)_([0-9a-f]{12})_([0-9a-f]{64})$/;

/** 256 random bits: nothing about them can be guessed or computed, so a fast hash is enough. */
export function makeRegisterToken(): AgentToken & { readonly kind: 'register' } {
  return { kind: 'register', id: randomBytes(6).toString('hex'), secret: randomBytes(32).toString('hex') };
}

export function makeClusterToken(cluster: string): AgentToken & { readonly kind: 'cluster' } {
  return { kind: 'cluster', cluster, id: randomBytes(6).toString('hex'), secret: randomBytes(32).toString('hex') };
}

export function formatAgentToken(token: AgentToken): string {
  return token.kind === 'register' ? `rfor_${token.id}_${token.secret}` : `rfoc_${token.cluster}_${token.id}_${token.secret}`;
}

/** The parts, or undefined of any other text. */
export function parseAgentToken(text: string): AgentToken | undefined {
  const [, registerId, registerSecret] = registerForm.exec(text) ?? [];
  if (registerId !== undefined && registerSecret !== undefined) return { kind: 'register', id: registerId, secret: registerSecret };
  const [, cluster, id, secret] = clusterForm.exec(text) ?? [];
  return cluster === undefined || id === undefined || secret === undefined ? undefined : { kind: 'cluster', cluster, id, secret };
}

/** What is kept of a token: SHA-256 of its secret, in hex. */
export function hashOf({ secret }: AgentToken): string {
  return hash('sha256', secret);
}

/** Takes the same time whatever is wrong. */
export function hasHash(token: AgentToken, expected: string): boolean {
  const [actual, wanted] = [Buffer.from(hashOf(token)), Buffer.from(expected)];
  return actual.length === wanted.length && timingSafeEqual(actual, wanted);
}
