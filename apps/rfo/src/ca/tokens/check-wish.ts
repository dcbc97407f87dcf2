/** Checks what a join token is to be, before there is one. */
import { isIP } from 'node:net';
import { fail, type RfoError } from '@rfo/foundation';
import { isNodePattern } from './node-pattern.ts';
import type { JoinToken } from './types.ts';

type Wish = Omit<JoinToken, 'id' | 'createdAt'>;

/** The wish, without doubles. @param now milliseconds since 1970 @throws ca-token-invalid */
export function checkWish(wish: Wish, now: number): Wish {
  const { node, profiles, addresses, maxNodes, description, expiresAt } = wish;
  if (!isNodePattern(node)) throw invalid(`"${node}" is neither the name of a node nor a pattern of such names`);
  if (profiles.length === 0) throw invalid('it is for no profile');
  const wrong = addresses.find((address) => !isNetwork(address));
  if (wrong !== undefined) throw invalid(`"${wrong}" is neither an address nor a CIDR`);
  if (!Number.isSafeInteger(maxNodes) || maxNodes < 1) throw invalid('the number of its nodes has to be 1 or more');
  if (maxNodes > 1 && !node.includes('*')) throw invalid(`one that is for ${node} alone cannot be for ${maxNodes} nodes`);
  if (expiresAt !== undefined && !(expiresAt > now)) throw invalid('it would have expired before it is made');
  return { node, profiles: [...new Set(profiles)], addresses: [...new Set(addresses)], maxNodes, description, expiresAt };
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function invalid(problem: string): RfoError {
  return fail('ca-token-invalid', { problem });
}
