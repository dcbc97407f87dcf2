export { type LoadBalancer, type LoadBalancerOptions, startLoadBalancer } from './load-balancer.ts';
export type { Health } from './servers.ts';
export { splice } from './splice.ts';
