// The Kubernetes API and what is applied to it.
import type { ErrorEntry } from './entry.ts';

export const kubernetesErrors = {
  'kube-unreachable': {
    text: 'the Kubernetes API at {server} cannot be reached: {problem}',
    cure: 'Check that the server runs and that its address and certificates are right',
    retryable: true,
    exit: 1,
  },
  'kube-api': {
    text: 'the Kubernetes API refuses to {what}: {problem} ({status}, {reason})',
    cure: 'Correct what it names',
    retryable: false,
    exit: 1,
  },
  'kube-busy': {
    text: 'the Kubernetes API cannot {what} now: {problem} ({status}, {reason})',
    cure: 'Try again',
    retryable: true,
    exit: 1,
  },
  'kube-kind-unknown': {
    text: 'the Kubernetes API does not serve {kind} of {apiVersion}',
    cure: 'Install what defines it, or correct apiVersion and kind',
    retryable: true,
    exit: 1,
  },
  'kube-credentials': {
    text: 'cannot read the credential {file} for the Kubernetes API: {problem}',
    cure: 'Put it there again, readable by this user',
    retryable: true,
    exit: 1,
  },
  'kubeconfig-invalid': {
    text: 'the kubeconfig {file} cannot be used: {problem}',
    cure: 'Give a valid kubeconfig',
    retryable: false,
    exit: 2,
  },
  'manifest-invalid': { text: 'the manifest {file} is not valid: {problem}', cure: 'Correct the file', retryable: false, exit: 2 },
} as const satisfies Record<string, ErrorEntry>;
