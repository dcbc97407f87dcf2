export { discard, type Forwarding, forward } from './http-forward.ts';
export { type Framing, readFraming } from './http-framing.ts';
export { eachHeader, endToEndHeaders, type HeaderLines, headerValues } from './http-headers.ts';
export { forwardUpgrade, type UpgradeForwarding } from './http-upgrade.ts';
export { createUpstream, type Link, type LinkTls, type Upstream, type UpstreamRequest } from './http-upstream.ts';
export { type LoadBalancer, type LoadBalancerOptions, startLoadBalancer } from './load-balancer.ts';
export type { Health } from './servers.ts';
export { splice } from './splice.ts';
