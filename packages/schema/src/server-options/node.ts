import { list, maybe, optionGroup, preset, toggle } from '../option.ts';
import { absolutePath, choice, domainName, ipv4Address, nodeLabel, nodeTaint, textLike } from '../value-types.ts';

/** This host as a node of the cluster. */
export const nodeOptions = optionGroup('Node', {
  'node-name': maybe(domainName('a node name', 'node-1.example.com'), { help: 'Name of the node.', value: 'name', unset: 'the host name' }),
  'with-node-id': toggle({ help: 'Append an id to the name of the node that is made once for the host and kept in /etc/rancher/node/id.' }),
  'node-label': list(nodeLabel(), { help: 'Label that the node registers with.', value: 'key=value' }),
  'node-taint': list(nodeTaint(), { help: 'Taint that the node registers with.', value: 'key=value:Effect' }),
  'node-ip': list(ipv4Address(), {
    help: 'Address of the node within the cluster.',
    value: 'address',
    split: true,
    unset: 'the address of the default route',
  }),
  'node-external-ip': list(ipv4Address(), {
    help: 'Address that the node is reached by from outside: it stands in the certificates, and the API server tells it to its clients.',
    value: 'address',
    split: true,
  }),
  'resolv-conf': maybe(absolutePath(), { help: 'resolv.conf for pods.', path: true, unset: "the host's, when pods can use it" }),
});

/** How containers run and where images come from. */
export const runtimeOptions = optionGroup('Container runtime', {
  'container-runtime-endpoint': maybe(textLike(/^(unix:\/\/)?\/.+/, 'a socket', 'unix:///run/containerd/containerd.sock'), {
    help: "Socket of a container runtime that is run by the host, instead of RFO's own.",
    value: 'socket',
  }),
  'default-runtime': maybe(textLike(/^[A-Za-z0-9_-]+$/, 'the name of a runtime', 'runc'), {
    help: "Runtime of containers; others than runc are declared in a file of containerd's config.toml.d.",
    value: 'name',
    unset: 'runc',
  }),
  'snapshotter': preset(choice(['overlayfs', 'native']), 'overlayfs', { help: 'How containerd lays out images on the disk.' }),
  'nonroot-devices': toggle({ help: "Give devices to the user of a pod's security context." }),
  'private-registry': preset(absolutePath(), '/etc/rancher/rfo/registries.yaml', {
    help: 'File of registry mirrors and credentials.',
    path: true,
  }),
  'system-default-registry': maybe(textLike(/^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._/-]+)?$/, 'a registry', 'registry.example.com:5000'), {
    help: 'Registry whose name is put before those of the images of the system; ours are kept under that name too.',
    value: 'registry',
  }),
  'disable-default-registry-endpoint': toggle({ help: 'Never fall back to the registry itself when its mirrors fail.' }),
  'image-credential-provider-bin-dir': maybe(absolutePath(), { help: 'Folder of credential provider plugins.', path: true }),
  'image-credential-provider-config': maybe(absolutePath(), { help: 'Configuration of the credential provider plugins.', path: true }),
});

/** How pods reach each other. */
export const networkOptions = optionGroup('Network', {
  'cni': preset(choice(['flannel', 'none']), 'flannel', { help: 'Pod network; with none you bring your own.' }),
  'flannel-backend': preset(choice(['vxlan', 'host-gw']), 'vxlan', { help: 'How flannel carries packets between nodes.' }),
  'flannel-iface': maybe(textLike(/^[^\s/]{1,15}$/, 'an interface', 'eth0'), {
    help: 'Interface that flannel uses.',
    value: 'interface',
    unset: 'that of the node address',
  }),
  'kube-proxy-mode': preset(choice(['auto', 'nftables', 'iptables']), 'auto', {
    help: 'What kube-proxy writes its rules with; auto takes nftables where the kernel can.',
  }),
});
