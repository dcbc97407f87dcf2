/** A host that becomes an agent of an RFO cluster: its configuration, its token, its unit. Pure. */
import { stringify } from 'yaml';
import { renderSystemdUnit } from '../../service-units/systemd.ts';
import { unitDefaults } from '../../service-units/unit.ts';
import { commonSettings, renderSettings } from './settings.ts';
import { commonShell, joinFolder, joinScript, joinUnit } from './shell-common.ts';
import type { AgentJoin, HostPlan } from './types.ts';

const tokenFile = `${joinFolder}/token`;

export function agentPlan(join: AgentJoin): HostPlan {
  const config = {
    'server': join.server,
    'token-file': tokenFile,
    ...(join.nodeName !== undefined && { 'node-name': join.nodeName }),
    ...(join.labels.length > 0 && { 'node-label': join.labels }),
  };
  return {
    summary: `${join.nodeName ?? 'this host'} joins the cluster of ${join.server} as an RFO agent`,
    files: [
      { path: '/etc/rancher/rfo/config.yaml', mode: '0600', content: stringify(config) },
      { path: tokenFile, mode: '0600', content: `${join.token}\n` },
      { path: `${joinFolder}/settings`, mode: '0644', content: renderSettings(commonSettings(join)) },
      { path: joinScript, mode: '0755', content: commonShell + agentShell },
    ],
    units: [
      { name: 'rfo-agent.service', content: renderSystemdUnit({ ...unitDefaults, role: 'agent' }), enabled: false },
      { name: 'rfo-join.service', content: joinUnit, enabled: true },
    ],
  };
}

const agentShell = `
# The unit is started when the node is ready, and tries again by itself.
start_agent() {
  systemctl start rfo-agent.service && return 0
  complain "rfo-agent is not ready: $(journalctl -q _SYSTEMD_UNIT=rfo-agent.service -o cat -n 1 2>/dev/null)"
  return 1
}

install_programs
[ -x /usr/local/bin/rfo ] || refused 'there is no /usr/local/bin/rfo'
systemctl enable rfo-agent.service
retry start_agent
joined "$node is ready"
`;
