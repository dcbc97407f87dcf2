import { list, maybe, optionGroup, preset, toggle } from '../option.ts';
import { componentArgument, httpsAddress, port } from '../value-types.ts';

/** The manager of many clusters, where it runs beside the API server of this one. */
export const managerOptions = optionGroup('Manager of many clusters', {
  'manager': toggle({ help: 'Run the manager of many clusters on this server too; it keeps what it knows in this cluster.' }),
  'manager-https-port': preset(port(), 8443, { help: 'Port of the manager.' }),
  'manager-server-url': maybe(httpsAddress(), {
    help: 'Address by which people and the agents of other clusters reach the manager. It becomes the setting server-url where that is not set yet.',
    value: 'address',
    unset: 'vip, else advertise-address, with manager-https-port',
  }),
  'manager-arg': list(componentArgument(), {
    help: 'Argument for rfo-manager, name=value; it replaces ours of that name.',
    value: 'name=value',
  }),
});
