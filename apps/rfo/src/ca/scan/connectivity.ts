/** Whether a host can be reached at all: its name, its port, TLS on it. */

import { findChains } from '../bundle/find-chains.ts';
import { makeLink } from '../bundle/link.ts';
import { createPool } from '../bundle/pool.ts';
import { VerifyProblem } from '../bundle/verify-problem.ts';
import { sentCertificates } from '../certinfo/host-certificate.ts';
import { hostProblem } from '../certinfo/host-match.ts';
import { dial, handshake } from './dial.ts';
import type { Family, Finding, Target } from './types.ts';

export const connectivity: Family = {
  description: 'Whether the host can be reached: its name, its TCP port, TLS on it',
  scanners: {
    DNSLookup: { description: 'Addresses are known for the name of the host', scan: lookUp },
    TCPDial: { description: 'The host takes TCP connections', scan: connect },
    TLSDial: { description: 'The host speaks TLS, and its certificate can be verified', scan: verify },
  },
};

async function lookUp({ outbound, host, signal }: Target): Promise<Finding> {
  const addresses = await outbound.resolve(host, signal);
  return addresses.length > 0 ? { grade: 'Good', output: addresses } : { grade: 'Bad', error: 'no addresses found for host' };
}

async function connect(target: Target): Promise<Finding> {
  (await dial(target)).destroy();
  return { grade: 'Good' };
}

async function verify(target: Target): Promise<Finding> {
  const [leaf, ...sent] = await handshake(target, {}, sentCertificates);
  if (leaf === undefined) return { grade: 'Bad', error: 'received no server certificates' };
  try {
    const trust = { roots: createPool(target.roots()), intermediates: [createPool(sent)], now: target.now() };
    findChains(makeLink(leaf), trust);
  } catch (error) {
    if (!(error instanceof VerifyProblem)) throw error;
    return { grade: 'Warning', error: error.message };
  }
  const problem = hostProblem(leaf, target.host);
  return problem === undefined ? { grade: 'Good' } : { grade: 'Warning', error: problem };
}
