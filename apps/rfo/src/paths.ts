import { join } from 'node:path';

/**
 * Where everything lies on a node: the one table of paths. The layout is RKE2's, with `rfo` for its name.
 * Below `data` is what must survive a reboot, below `run` what must not.
 */
export function nodePaths(roots: { readonly dataDir: string; readonly runDir: string; readonly etcDir: string }) {
  const data = roots.dataDir;
  const server = join(data, 'server');
  const agent = join(data, 'agent');
  const tls = join(server, 'tls');
  const run = roots.runDir;
  return {
    data,
    /** Link to the bundle's folder of binaries; stable over upgrades. */
    bin: join(data, 'bin'),
    /** Version that wrote this data directory last: a newer one is refused. */
    versionFile: join(data, 'version.json'),
    /** What this node was known by when it ran last. */
    nodeAddress: join(data, 'node-address.json'),
    run,
    /** Held by the one rfo that owns this data directory. */
    lockFile: join(data, 'rfo.lock'),
    /** `<name>.json` of each running component: pid, start time, hash. */
    processRecords: join(run, 'processes'),
    /** The virtual IP that this host has set, and on which interface. */
    vipRecord: join(run, 'vip.json'),
    /** `<name>.log` of each component. */
    logs: join(data, 'logs'),
    /** Where the API server asks for connections into the cluster. */
    egressSocket: join(run, 'egress.sock'),
    etc: roots.etcDir,
    /** Made once for the host: what with-node-id appends to the node's name. */
    nodeId: join(roots.etcDir, 'node', 'id'),
    nodePassword: join(roots.etcDir, 'node', 'password'),
    server: {
      root: server,
      /** Files of the cluster while this server joins: first being written, then complete and on their way to their places. */
      bootstrapStaging: join(server, 'bootstrap.new'),
      bootstrapReady: join(server, 'bootstrap.ready'),
      tls,
      etcdTls: join(tls, 'etcd'),
      cred: join(server, 'cred'),
      encryptionConfig: join(server, 'cred', 'encryption-config.json'),
      passwd: join(server, 'cred', 'passwd'),
      /** What `token`, `node-token`, `agent-token` and `passwd` are written from; knows replaced tokens as well. */
      clusterTokens: join(server, 'cred', 'cluster-tokens.json'),
      etc: join(server, 'etc'),
      admissionConfig: join(server, 'etc', 'admission-control-config.yaml'),
      auditPolicy: join(server, 'etc', 'audit-policy.yaml'),
      egressConfig: join(server, 'etc', 'egress-selector.json'),
      tokenWebhook: join(server, 'etc', 'token-webhook.json'),
      managerConfig: join(server, 'etc', 'rfo-manager.yaml'),
      auditLog: join(server, 'logs', 'audit.log'),
      etcd: join(server, 'db', 'etcd'),
      /** What this member goes by; not inside etcd's folder, where etcd warns of it at every start. */
      etcdMember: join(server, 'db', 'etcd-member.json'),
      /** There from before a join's first step until the member votes. */
      etcdJoining: join(server, 'db', 'joining.json'),
      /** The members as last seen. */
      etcdMembers: join(server, 'db', 'members.json'),
      snapshots: join(server, 'db', 'snapshots'),
      manifests: join(server, 'manifests'),
      static: join(server, 'static'),
      token: join(server, 'token'),
      nodeToken: join(server, 'node-token'),
      agentToken: join(server, 'agent-token'),
    },
    agent: {
      root: agent,
      /** Certificates of a node whose servers sign them; those of a server's own node lie in `server.tls`. */
      tls: join(agent, 'tls'),
      etc: join(agent, 'etc'),
      /** What a joined node starts from while no server answers. */
      joinState: join(agent, 'etc', 'join.json'),
      knownServers: join(agent, 'etc', 'rfo-agent-load-balancer.json'),
      containerdConfig: join(agent, 'etc', 'containerd', 'config.toml'),
      registryHosts: join(agent, 'etc', 'containerd', 'certs.d'),
      crictlConfig: join(agent, 'etc', 'crictl.yaml'),
      containerdRoot: join(agent, 'containerd'),
      containerdState: join(run, 'containerd'),
      containerdSocket: join(run, 'containerd', 'containerd.sock'),
      images: join(agent, 'images'),
      imageCache: join(agent, 'images.json'),
      podManifests: join(agent, 'pod-manifests'),
      kubeletConfigDir: join(agent, 'etc', 'kubelet.conf.d'),
      resolvConf: join(agent, 'etc', 'resolv.conf'),
      cniConfDir: join(agent, 'etc', 'cni', 'net.d'),
      cniState: join(agent, 'cni'),
      flannelNetConf: join(agent, 'etc', 'flannel', 'net-conf.json'),
      flannelSubnet: join(run, 'flannel', 'subnet.env'),
    },
  } as const;
}

export type Paths = ReturnType<typeof nodePaths>;

/** The table of paths for these settings. */
export function pathsOf(config: { readonly 'data-dir': string; readonly 'run-dir': string }): Paths {
  return nodePaths({ dataDir: config['data-dir'], runDir: config['run-dir'], etcDir: '/etc/rancher' });
}
