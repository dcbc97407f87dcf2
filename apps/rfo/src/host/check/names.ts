/** The host's names, its clock, and the name servers that pods are given. */
import { lookup } from 'node:dns/promises';
import { readFileIfExists } from '@rfo/foundation';
import { chooseResolvConf } from '../resolv-conf.ts';
import { type Check, type CheckInputs, type Finding, failed, ok, warn } from './finding.ts';

/** No correct clock shows a time before this program was written. */
const earliest = Date.UTC(2026, 0, 1);

export const checkNames: Check = async (inputs) => [
  await hostName(inputs),
  clock(Date.now()),
  ...(inputs.config['disable-agent'] ? [] : [await nameServers(inputs)]),
];

async function hostName({ host }: CheckInputs): Promise<Finding> {
  if (/^localhost(\.|$)/.test(host.nodeName)) {
    return failed(
      'host name',
      `${host.nodeName} would be the name of every node`,
      'hostnamectl set-hostname <a name of its own>, or set node-name',
    );
  }
  try {
    const { address } = await lookup(host.hostname, { family: 4 });
    return ok('host name', `${host.hostname} is ${address}`);
  } catch {
    return warn('host name', `${host.hostname} does not resolve`, `Add "${host.nodeIp} ${host.hostname}" to /etc/hosts`);
  }
}

export function clock(now: number): Finding {
  const shown = new Date(now).toISOString();
  if (now >= earliest) return ok('clock', shown);
  return failed(
    'clock',
    `it is not ${shown}: certificates would not be valid yet`,
    'Set the clock, and let chrony or systemd-timesyncd keep it',
  );
}

async function nameServers({ config, host }: CheckInputs): Promise<Finding> {
  if (config['resolv-conf'] !== undefined) return ok('name servers', `those of ${config['resolv-conf']}`);
  const [system, resolved] = await Promise.all(['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'].map(readFileIfExists));
  const { use } = chooseResolvConf({ system, resolved, nodeIp: host.nodeIp });
  if (use === 'system') return ok('name servers', 'those of /etc/resolv.conf');
  if (use === 'resolved') return ok('name servers', 'those of systemd-resolved');
  return warn('name servers', '/etc/resolv.conf names none that pods can reach', 'Name one there, or a file of its own with resolv-conf');
}
