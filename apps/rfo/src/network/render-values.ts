// Renders the values of Cilium's Helm chart for a cluster whose control plane stands outside it. Pure.
// Source: values.yaml and values.schema.json of the charts of Cilium 1.16 to 1.20.

export type CiliumValues = {
  /** By what and at which port nodes reach the API server; Cilium has no kube-proxy to find it by. */
  readonly apiServer: string;
  readonly apiPort: number;
  readonly clusterName: string;
  readonly podCIDR: string;
  /** Prefix length of a node's part of it. */
  readonly podMaskSize: number | undefined;
  readonly ipam: 'cluster-pool' | 'kubernetes';
  readonly leaveOut: readonly Extra[];
};
type Extra = 'gateway-api' | 'ingress' | 'hubble' | 'dashboards' | 'service-monitors';

/** What Hubble counts, with the names that the counts go by. */
const hubbleMetrics = [
  'dns',
  'drop',
  'tcp',
  'icmp',
  'flow:sourceContext=workload-name|reserved-identity;destinationContext=workload-name|reserved-identity',
  'kafka:labelsContext=source_namespace,source_workload,destination_namespace,destination_workload,traffic_direction;sourceContext=workload-name|reserved-identity;destinationContext=workload-name|reserved-identity',
  'httpV2:exemplars=true;labelsContext=source_ip,source_namespace,source_workload,destination_ip,destination_namespace,destination_workload,traffic_direction;sourceContext=workload-name|reserved-identity;destinationContext=workload-name|reserved-identity',
];

export function renderValues(given: CiliumValues): object {
  const has = (extra: Extra): boolean => !given.leaveOut.includes(extra);
  const monitored = has('service-monitors') ? { serviceMonitor: { enabled: true } } : {};
  const range = given.podCIDR.includes(':') ? 'IPv6' : 'IPv4';
  return {
    bgpControlPlane: { enabled: true },
    // Routers send what is for a ClusterIP to nodes, which carry it on to a pod.
    bpf: { lbExternalClusterIP: true },
    cluster: { name: given.clusterName },
    gatewayAPI: { enabled: has('gateway-api') },
    hubble: has('hubble')
      ? {
          enabled: true,
          metrics: {
            ...(has('dashboards') && {
              dashboards: { enabled: true, namespace: 'monitoring', annotations: { grafana_folder: 'Cilium' } },
            }),
            enableOpenMetrics: true,
            enabled: hubbleMetrics,
            ...monitored,
          },
          relay: { enabled: true, prometheus: { enabled: true, ...monitored } },
          ui: { enabled: true },
        }
      : { enabled: false },
    ingressController: has('ingress') ? { enabled: true, default: true, loadbalancerMode: 'dedicated' } : { enabled: false },
    ipam:
      given.ipam === 'kubernetes'
        ? { mode: 'kubernetes' }
        : {
            mode: 'cluster-pool',
            operator: {
              [`clusterPool${range}PodCIDRList`]: [given.podCIDR],
              ...(given.podMaskSize === undefined ? {} : { [`clusterPool${range}MaskSize`]: given.podMaskSize }),
            },
          },
    k8sServiceHost: given.apiServer,
    k8sServicePort: given.apiPort,
    kubeProxyReplacement: true,
    operator: { replicas: 1, prometheus: { enabled: true, ...monitored } },
    prometheus: { enabled: true, ...monitored },
    rollOutCiliumPods: true,
  };
}
