import { buildingErrors } from './errors/building.ts';
import { caErrors } from './errors/ca.ts';
import { certificateErrors } from './errors/certificates.ts';
import type { ErrorEntry } from './errors/entry.ts';
import { etcdErrors } from './errors/etcd.ts';
import { hostErrors } from './errors/host.ts';
import { inputErrors } from './errors/input.ts';
import { joiningErrors } from './errors/joining.ts';
import { kubernetesErrors } from './errors/kubernetes.ts';
import { managerApiErrors } from './errors/manager-api.ts';
import { managerCliErrors } from './errors/manager-cli.ts';
import { managerConnectionErrors } from './errors/manager-connections.ts';
import { managerFrontDoorErrors } from './errors/manager-front-door.ts';
import { managerIdentityErrors } from './errors/manager-identity.ts';
import { managerLdapErrors } from './errors/manager-ldap.ts';
import { managerLimitErrors } from './errors/manager-limits.ts';
import { managerObjectErrors } from './errors/manager-objects.ts';
import { managerProviderErrors } from './errors/manager-providers.ts';
import { managerRightsErrors } from './errors/manager-rights.ts';
import { managerWatchErrors } from './errors/manager-watches.ts';
import { processErrors } from './errors/processes.ts';
import { requestErrors } from './errors/requests.ts';
import { tokenErrors } from './errors/tokens.ts';
import { tunnelErrors } from './errors/tunnels.ts';

/** Every error that a user can meet, by its stable code. One topic each has a table below errors/; a code stands in one of them. */
export const errorTable = {
  'internal': { text: '{what}', cure: 'This is a defect of RFO: report it with the log', retryable: false, exit: 1 },
  ...inputErrors,
  ...tokenErrors,
  ...joiningErrors,
  ...requestErrors,
  ...hostErrors,
  ...processErrors,
  ...buildingErrors,
  ...certificateErrors,
  ...caErrors,
  ...kubernetesErrors,
  ...etcdErrors,
  ...tunnelErrors,
  ...managerConnectionErrors,
  ...managerLimitErrors,
  ...managerFrontDoorErrors,
  ...managerObjectErrors,
  ...managerLdapErrors,
  ...managerProviderErrors,
  ...managerRightsErrors,
  ...managerIdentityErrors,
  ...managerApiErrors,
  ...managerCliErrors,
  ...managerWatchErrors,
  'timeout': { text: '{what} did not happen within {seconds} s', cure: '{cure}', retryable: true, exit: 1 },
} as const satisfies Record<string, ErrorEntry>;
