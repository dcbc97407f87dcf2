// Renders the systemd unit of a server, an agent or the CA. Pure. The units of the usual places are in deploy/systemd. Sources: systemd.service(5), systemd.exec(5).
import { commandOf, stopTimeoutOf, type UnitOptions, unitDefaults } from './unit.ts';

export function renderSystemdUnit(options: UnitOptions): string {
  const lines = options.role === 'ca' ? authorityUnit(options) : nodeUnit(options);
  return `${lines.join('\n')}\n`;
}

function nodeUnit(options: UnitOptions): string[] {
  const { role, outside, program } = options;
  const other = role === 'server' ? 'agent' : 'server';
  const pods = !outside;
  return [
    '[Unit]',
    pods
      ? `Description=RFO ${role}: a node of a Kubernetes cluster`
      : 'Description=RFO server: the control plane of a Kubernetes cluster, outside of it',
    ...network,
    '',
    '[Service]',
    ...notifying,
    'EnvironmentFile=-/etc/default/%N',
    'EnvironmentFile=-/etc/sysconfig/%N',
    'EnvironmentFile=-/usr/local/lib/systemd/system/%N.env',
    '# A host is a server or an agent, never both.',
    `ExecCondition=/bin/sh -c '! systemctl is-active --quiet rfo-${other}.service'`,
    ...(pods ? ['ExecStartPre=-/sbin/modprobe -a overlay br_netfilter nf_conntrack'] : []),
    `ExecStart=${commandOf(options).map(escapeWord).join(' ')}`,
    ...(pods
      ? [
          "# At a shutdown the pods end here, with time to do so; left to systemd's last round they would delay it by half a minute.",
          `ExecStopPost=-/bin/sh -c 'test "$$(systemctl is-system-running)" != stopping || exec ${escapeWord(program)}-killall.sh --shutdown'`,
          "# Pods, and at a restart Kubernetes' processes too, outlive this process.",
        ]
      : ["# At a restart Kubernetes' processes outlive this process."]),
    'KillMode=process',
    ...(pods ? ['Delegate=yes'] : []),
    'Restart=always',
    'RestartSec=1s',
    'TimeoutStartSec=0',
    `TimeoutStopSec=${stopTimeoutOf(options)}s`,
    'LimitNOFILE=1048576',
    'LimitNPROC=infinity',
    'LimitCORE=infinity',
    'TasksMax=infinity',
    'OOMScoreAdjust=-999',
  ];
}

/** The key of everything, so it may do as little as possible besides. */
function authorityUnit(options: UnitOptions): string[] {
  const { caDir } = options;
  return [
    '[Unit]',
    'Description=RFO certificate authority: CFSSL API, OCSP, CRL',
    'Wants=network-online.target',
    'After=network-online.target',
    '# A CA is made by hand: rfo ca init.',
    `ConditionPathExists=${escapeWord(caDir)}/ca.pem`,
    '',
    ...install,
    '',
    '[Service]',
    ...notifying,
    '# Flags as variables: RFO_CA_ADDRESS=0.0.0.0',
    'EnvironmentFile=-/etc/default/%N',
    'EnvironmentFile=-/etc/sysconfig/%N',
    `ExecStart=${commandOf(options).map(escapeWord).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    'Restart=always',
    'RestartSec=1s',
    'TimeoutStartSec=60s',
    `TimeoutStopSec=${stopTimeoutOf(options)}s`,
    'LimitNOFILE=65536',
    'LimitCORE=0',
    'UMask=0077',
    '',
    '# It needs its folder and its ports, and nothing else of this host.',
    'ProtectSystem=strict',
    `ReadWritePaths=${escapeWord(caDir)}`,
    ...(caDir === unitDefaults.caDir
      ? ['# Of --seed, if it is there: it notes there who was given what.', 'ReadWritePaths=-/var/lib/rancher/rfo/seed']
      : []),
    'ProtectHome=yes',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelLogs=yes',
    'ProtectControlGroups=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectProc=invisible',
    'ProcSubset=all',
    '# Netlink tells the addresses of the host, which its own TLS certificate is for.',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
    'AmbientCapabilities=',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallErrorNumber=EPERM',
  ];
}

const install = ['[Install]', 'WantedBy=multi-user.target'];
const network = ['Wants=network-online.target', 'After=network-online.target', '', ...install];
const notifying = ['Type=notify', '# The message comes from a child of the program: systemd-notify.', 'NotifyAccess=all'];

/** A percent sign begins a specifier, a dollar sign a variable. */
function escapeWord(word: string): string {
  return word.replaceAll('%', '%%').replaceAll('$', '$$$$');
}
