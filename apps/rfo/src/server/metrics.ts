import type { ServerConfig } from '@rfo/schema';

/** One measured value of the metrics page. */
export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };
export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
};

/** The metrics page of rfo itself, rendered at each call; undefined unless it is asked for. */
export function metricsPage(
  config: Pick<ServerConfig, 'supervisor-metrics'>,
  metrics: () => readonly Metric[],
): (() => string) | undefined {
  return config['supervisor-metrics'] ? () => renderMetrics(metrics()) : undefined;
}

/** Renders Prometheus' text exposition format 0.0.4. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics.map(renderMetric).join('');
}

function renderMetric({ name, help, type, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => {
    const inner = Object.entries(labels)
      .map(([key, text]) => `${key}="${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`)
      .join(',');
    return `${name}${inner === '' ? '' : `{${inner}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
