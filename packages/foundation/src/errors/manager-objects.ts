// The manager as a program, and the objects it keeps in the Kubernetes API.
import type { ErrorEntry } from './entry.ts';

export const managerObjectErrors = {
  'object-malformed': {
    text: '{kind} {name} is left out, for it is not what it should be: {problem}',
    cure: 'Correct it with kubectl, or delete it',
    retryable: false,
    exit: 1,
  },
  'crd-not-established': {
    text: 'the Kubernetes API does not serve {name}: {problem}',
    cure: 'Remove what stands against it; the manager needs Kubernetes 1.32 or newer',
    retryable: true,
    exit: 1,
  },
  'manager-no-cluster': {
    text: 'there is no cluster to keep its objects in: this is no pod with a service account, and no kubeconfig was given',
    cure: 'Give --kubeconfig',
    retryable: false,
    exit: 2,
  },
  'program-argument': {
    text: '{program} takes flags alone, and not "{argument}"',
    cure: 'See: {program} --help',
    retryable: false,
    exit: 2,
  },
  'manager-certificate-unusable': {
    text: 'the certificate in {where} cannot be used: {problem}',
    cure: 'Put a certificate in PEM and its private key there; until then the one before stays in use, if there was one',
    retryable: false,
    exit: 1,
  },
  'manager-path-unknown': {
    text: 'the manager serves nothing at {path}',
    cure: 'Its REST interface is below /api/v1, that of clusters below /k8s/clusters/<name>',
    retryable: false,
    exit: 1,
  },
  'manager-upgrade-needed': {
    text: '{path} is for agents, which ask for a WebSocket',
    cure: 'Let the agent connect, or a proxy between pass the upgrade on',
    retryable: false,
    exit: 1,
  },
  'manager-not-ready': { text: 'the manager is {state}', cure: 'Try again, or ask another replica', retryable: true, exit: 1 },
} as const satisfies Record<string, ErrorEntry>;
