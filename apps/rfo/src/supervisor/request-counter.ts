import { type Metric, renderMetrics } from '../server/metrics.ts';

type Labels = { readonly route: string; readonly method: string; readonly code: number };

/** Requests to port 9345 by route, method and status, as Prometheus counts them. */
export type RequestCounter = { readonly count: (labels: Labels) => void; readonly render: () => string };

export function createRequestCounter(): RequestCounter {
  const counts = new Map<string, { readonly labels: Labels; value: number }>();
  return {
    count: (labels) => {
      const key = `${labels.route} ${labels.method} ${labels.code}`;
      const counted = counts.get(key);
      if (counted === undefined) counts.set(key, { labels, value: 1 });
      else counted.value++;
    },
    render: () => {
      const samples = [...counts.values()].map(({ labels, value }) => ({ labels: { ...labels, code: String(labels.code) }, value }));
      const help = 'Requests to the supervisor by route, method and status.';
      const metric: Metric = { name: 'rfo_supervisor_requests_total', help, type: 'counter', samples };
      return renderMetrics([metric]);
    },
  };
}
