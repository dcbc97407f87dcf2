/** What rfo says of faults that agents and servers have in common, word for word. */
import type { Node } from '../../harness/node.ts';
import { hashOf, type Tokens } from './tokens.ts';

export const makeNew = 'Make a new one on a server: rfo token create.';
export const takeNew = 'Give the one that a server keeps in server/node-token of its data-dir, or a new one of: rfo token create.';

export const joinAddress = ({ host }: Node): string => `https://${host.ip}:9345`;

export function otherAuthority(server: string, { agent }: Tokens): string {
  return (
    `the CA that ${server} shows is not the one of the token: its hash is ${hashOf(agent)}, the token says ${'0'.repeat(64)}. ` +
    'Take the token from a server of the cluster that is meant, or correct the address; if both are right, somebody stands between.'
  );
}

/** @param what it was asked for */
export function nameTaken(server: string, { name, what }: { readonly name: string; readonly what: string }): string {
  return (
    `${server} refuses ${what}: another host has joined as node ${name}, or this one was installed anew since: its node password is not the ` +
    'one that is known (join-name-taken). Give this host a node-name of its own; if it replaces the other, run on a server: rfo node ' +
    `readopt ${name}.`
  );
}

export function unreachable(server: string): string {
  const problem = `connect ECONNREFUSED ${server.replace('https://', '')}`;
  return `${server} cannot be reached: ${problem}. Check that rfo server runs there and that nothing between closes the port.`;
}

export function notHttps(address: string): string {
  return `server in /etc/rancher/rfo/config.yaml:2: "${address}" is not https. Write it like https://server-1.example.com:9345.`;
}
