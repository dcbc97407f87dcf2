/** The unit of an agent, as it stands in deploy/systemd: user data brings it along. */

export const agentUnit = `[Unit]
Description=RFO agent: a node of a Kubernetes cluster
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
# The message comes from a child of the program: systemd-notify.
NotifyAccess=all
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-/usr/local/lib/systemd/system/%N.env
# A host is a server or an agent, never both.
ExecCondition=/bin/sh -c '! systemctl is-active --quiet rfo-server.service'
ExecStartPre=-/sbin/modprobe -a overlay br_netfilter nf_conntrack
ExecStart=/usr/local/bin/rfo agent
# At a shutdown the pods end here, with time to do so; left to systemd's last round they would delay it by half a minute.
ExecStopPost=-/bin/sh -c 'test "$$(systemctl is-system-running)" != stopping || exec /usr/local/bin/rfo-killall.sh --shutdown'
# Pods, and at a restart Kubernetes' processes too, outlive this process.
KillMode=process
Delegate=yes
Restart=always
RestartSec=1s
TimeoutStartSec=0
TimeoutStopSec=90s
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999
`;
