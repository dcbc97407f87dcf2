/** The Kubernetes objects that scenarios make. */
import { testbox } from './node.ts';

export const namespace = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export const configMap = (name: string, data: Readonly<Record<string, string>>, inNamespace = 'default'): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: inNamespace },
  data,
});

/** A web server on port 8080 that answers with the name of its pod. */
const webContainer = {
  name: 'web',
  image: testbox,
  command: ['sh', '-c', 'mkdir -p /tmp/www && hostname > /tmp/www/index.html && exec httpd -f -p 8080 -h /tmp/www'],
  readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
};

export const webDeployment = (name: string, replicas: number, inNamespace = 'default'): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: inNamespace },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, containers: [webContainer] } },
  },
});

/** The same on every node, whatever its taints. */
export const webDaemonSet = (name: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 0, tolerations: [{ operator: 'Exists' }], containers: [webContainer] },
    },
  },
});

export const service = (
  name: string,
  options: { readonly app: string; readonly namespace?: string; readonly nodePort?: number },
): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: options.namespace ?? 'default' },
  spec: {
    type: options.nodePort === undefined ? 'ClusterIP' : 'NodePort',
    selector: { app: options.app },
    ports: [{ port: 80, targetPort: 8080, ...(options.nodePort === undefined ? {} : { nodePort: options.nodePort }) }],
  },
});

/** A pod that only sleeps, or the web server with a port of the host. */
export const pod = (name: string, options: { readonly namespace?: string; readonly hostPort?: number } = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: options.namespace ?? 'default' },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      options.hostPort === undefined
        ? { name: 'sleep', image: testbox, command: ['sleep', '1000000'] }
        : { ...webContainer, ports: [{ containerPort: 8080, hostPort: options.hostPort }] },
    ],
  },
});
