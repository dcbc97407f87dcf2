import type { LoadBalancer } from '@rfo/proxy';

type Health = Parameters<LoadBalancer['report']>[1];
/** Who watches servers: each says what he knows, and nobody speaks for another. */
type Report = LoadBalancer['report'];

/** From the best to the worst. */
const order: readonly Health[] = ['healthy', 'suspect', 'failed'];

/** Lets several watch the same servers: a balancer hears of each server the worst that one of them says of it. */
export function reporters(balancer: Pick<LoadBalancer, 'report'>): () => Report {
  const voices: Map<string, Health>[] = [];
  return () => {
    const own = new Map<string, Health>();
    voices.push(own);
    return (server, health) => {
      own.set(server, health);
      const worst = Math.max(...voices.map((voice) => order.indexOf(voice.get(server) ?? 'healthy')));
      balancer.report(server, order[worst] ?? health);
    };
  };
}
