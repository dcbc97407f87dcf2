// Ways to nodes.
import type { ErrorEntry } from './entry.ts';

export const tunnelErrors = {
  'egress-unreachable': {
    text: '{target} cannot be reached: {problem}',
    cure: 'Check that something listens there and that nothing between closes the port',
    retryable: true,
    exit: 1,
  },
  'egress-node-unreachable': {
    text: 'node {node} cannot reach {target}: {problem}',
    cure: 'Check on {node} that it runs: its log is in the data-dir',
    retryable: true,
    exit: 1,
  },
  'egress-no-tunnel': {
    text: '{tunnel}, and dialling {target} directly failed: {problem}',
    cure: 'Check that rfo runs on {node} and reaches port 9345 of every server',
    retryable: true,
    exit: 1,
  },
  'tunnel-refused': {
    text: 'the node does not let {target} be reached through its tunnel',
    cure: 'It allows what egress-selector-mode names',
    retryable: false,
    exit: 1,
  },
  'tunnel-unreachable': {
    text: 'the node cannot reach {target}: {problem}',
    cure: 'Check that it runs there and listens',
    retryable: true,
    exit: 1,
  },
  'tunnel-closed': {
    text: 'the tunnel to the node is closed: {problem}',
    cure: 'The node opens it again by itself as soon as it can',
    retryable: true,
    exit: 1,
  },
} as const satisfies Record<string, ErrorEntry>;
