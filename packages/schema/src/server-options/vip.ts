import { maybe, optionGroup } from '../option.ts';
import { ipv4Address, textLike } from '../value-types.ts';

/** One address for all servers of the cluster. */
export const vipOptions = optionGroup('Virtual IP', {
  'vip': maybe(ipv4Address(), {
    help: 'Address that one healthy server holds for ports 6443 and 9345, and another as soon as it is gone; the same on all servers, and of no host.',
    value: 'address',
    unset: 'none',
  }),
  'vip-interface': maybe(textLike(/^[^\s/]{1,15}$/, 'an interface', 'eth0'), {
    help: 'Interface that carries the virtual IP.',
    value: 'interface',
    unset: 'that of the node address',
  }),
});
