import type { Target } from '@rfo/tunnel';
import type { EgressMode } from '../egress/egress-config.ts';
import { inRanges } from '../egress/ranges.ts';
import { streamingPort } from '../egress/routes.ts';

export type TunnelRules = {
  readonly mode: EgressMode;
  /** Addresses of this node. */
  readonly nodeIps: readonly string[];
  readonly kubeletPort: number;
  /** Of the whole cluster. */
  readonly clusterCidr: string;
  /** Of the pods on this node, as far as known. */
  readonly podCidrs: readonly string[];
};

/** Whether a server may reach this target through this node's tunnel. The node decides, not the server. */
export function allowsTarget({ host, port }: Target, { mode, nodeIps, kubeletPort, clusterCidr, podCidrs }: TunnelRules): boolean {
  if (mode === 'disabled') return false;
  const isOwn = host === '127.0.0.1' || nodeIps.includes(host);
  if (isOwn) return port === kubeletPort || port === streamingPort;
  if (mode === 'agent') return false;
  return inRanges(mode === 'cluster' ? [clusterCidr] : podCidrs, host);
}
