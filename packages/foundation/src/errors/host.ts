// The host: its addresses, kernel, folders and ports.
import type { ErrorEntry } from './entry.ts';

export const hostErrors = {
  'data-in-use': {
    text: 'another rfo (pid {pid}) runs on {dir}',
    cure: 'Stop it, or give this one its own data-dir',
    retryable: false,
    exit: 3,
  },
  'data-newer': {
    text: '{dir} was written by a newer version ({part} {found}, this is {own})',
    cure: 'Install that version again; going back needs a snapshot of the old one',
    retryable: false,
    exit: 3,
  },
  'data-unreadable': {
    text: '{file} is damaged',
    cure: 'Restore the data directory from a backup; remove the file only if you know what wrote it',
    retryable: false,
    exit: 3,
  },
  'port-taken': {
    text: 'port {port} is taken by {holder}',
    cure: 'Stop what listens there; ss -ltnp names it',
    retryable: false,
    exit: 3,
  },
  'bundle-missing': {
    text: 'the Kubernetes binaries are not in {dir}',
    cure: 'Build them with: npm run components',
    retryable: false,
    exit: 3,
  },
  'not-root': { text: '{what} needs root', cure: 'Run it as root, for example with sudo', retryable: false, exit: 3 },
  'node-address-missing': {
    text: 'this host has no IPv4 address that other hosts could reach it by',
    cure: 'Give an interface an address, or name one with node-ip',
    retryable: false,
    exit: 3,
  },
  'node-address-foreign': {
    text: 'node-ip {address} is not an address of this host, which has: {found}',
    cure: 'Name one of these',
    retryable: false,
    exit: 2,
  },
  'node-ip-gone': {
    text: 'node-ip {address}, which this node has been known by, is no address of this host any more, which has: {found}',
    cure: 'Give it back to an interface, and the node goes on by itself; or correct node-ip and restart rfo',
    retryable: true,
    exit: 3,
  },
  'node-address-gone': {
    text: 'the address {address} of this node is gone, and neither {iface} nor the interface of the default route has another; this host has: {found}',
    cure: 'The node goes on by itself once there is one; to move it to another interface, give the address there as node-ip',
    retryable: true,
    exit: 3,
  },
  'vip-is-host-address': {
    text: 'the virtual IP {address} is an address of this host itself (on {iface})',
    cure: 'Give vip an address that no host has',
    retryable: false,
    exit: 2,
  },
  'vip-interface-missing': {
    text: 'this host has no interface {iface} to put the virtual IP on',
    cure: 'Name one that "ip link" lists in vip-interface',
    retryable: false,
    exit: 2,
  },
  'vip-not-set': {
    text: 'the virtual IP {address} cannot be set or removed on {iface}: {problem}',
    cure: 'Try "ip address" by hand: it has to work here',
    retryable: true,
    exit: 1,
  },
  'node-name-invalid': {
    text: '"{name}" cannot be the name of a node',
    cure: 'Give a host name or node-name of lower-case letters, digits, "-" and "."',
    retryable: false,
    exit: 2,
  },
  'node-deleted': {
    text: 'the Node {name} was deleted while its kubelet ran',
    cure: 'It is registered again by starting kubelet anew, which is being done',
    retryable: true,
    exit: 1,
  },
  'pod-range-changed': {
    text: 'flannel has the range {subnet}, the Node has {range} now',
    cure: 'flannel is being started anew',
    retryable: true,
    exit: 1,
  },
  'group-unknown': {
    text: 'write-kubeconfig-group: this host has no group "{group}"',
    cure: 'Name one that /etc/group lists, or make it: groupadd {group}',
    retryable: false,
    exit: 2,
  },
  'data-unwritable': {
    text: 'nothing can be written below {dir}: {problem}',
    cure: 'Choose a data-dir on a disk of this host that may be written',
    retryable: false,
    exit: 3,
  },
  'cgroups-missing': {
    text: 'no cgroups are mounted on /sys/fs/cgroup',
    cure: 'Boot with them, or without systemd: mount -t cgroup2 none /sys/fs/cgroup',
    retryable: false,
    exit: 3,
  },
  'kernel-defaults': {
    text: 'protect-kernel-defaults (or profile cis) is set, and {found}',
    cure: 'Run: rfo check --fix, or leave it out',
    retryable: false,
    exit: 3,
  },
  'sysctl-refused': {
    text: 'cannot set {key} to {value}: {problem}',
    cure: 'Set it in /etc/sysctl.d of the host that this one runs on',
    retryable: false,
    exit: 3,
  },
  'resolv-conf-missing': { text: 'resolv-conf {file} cannot be read: {problem}', cure: 'Name a readable file', retryable: false, exit: 2 },
  'host-not-ready': { text: 'this host cannot run it: {problems}', cure: '{cure}', retryable: false, exit: 3 },
} as const satisfies Record<string, ErrorEntry>;
