// What `/metrics` tells, in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/).
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
};

export type Metrics = {
  /** Adds metrics that are computed when somebody asks. */
  readonly add: (read: () => readonly Metric[]) => void;
  /** Counts the answer to a request. */
  readonly count: (request: IncomingMessage, response: ServerResponse) => void;
  readonly render: () => string;
};

export function createMetrics(): Metrics {
  const sources: (() => readonly Metric[])[] = [processMetrics];
  const requests = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  sources.push(() => [
    {
      name: 'rfo_manager_http_requests_total',
      help: 'Requests by part, method and status.',
      type: 'counter',
      samples: [...requests.values()],
    },
  ]);
  return {
    add: (read) => void sources.push(read),
    count: ({ url = '', method = '' }, response) =>
      void response.once('close', () => {
        const labels = {
          part: /^\/(k8s|api|import)\//.exec(url)?.[1] ?? 'other',
          method: methods.has(method) ? method : 'other',
          code: String(response.statusCode),
        };
        const key = Object.values(labels).join(' ');
        const counted = requests.get(key);
        if (counted === undefined) requests.set(key, { labels, value: 1 });
        else counted.value++;
      }),
    render: () => renderMetrics(sources.flatMap((read) => read())),
  };
}

/** What strangers invent must not become a label. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function processMetrics(): readonly Metric[] {
  const { user, system } = process.cpuUsage();
  const gauge = (name: string, help: string, value: number): Metric => ({ name, help, type: 'gauge', samples: [{ value }] });
  return [
    { name: 'process_cpu_seconds_total', help: 'Time on a processor.', type: 'counter', samples: [{ value: (user + system) / 1e6 }] },
    gauge('process_resident_memory_bytes', 'Memory that is resident.', process.memoryUsage.rss()),
    gauge('process_start_time_seconds', 'When it started, since 1970.', Math.round(performance.timeOrigin / 1000)),
  ];
}

function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}${renderLabels(labels)} ${value}\n`);
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
    })
    .join('');
}

function renderLabels(labels: Readonly<Record<string, string>> = {}): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (each) => (each === '\n' ? '\\n' : `\\${each}`))}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}
