// Renders the SMF manifest and the method script of a server, an agent or the CA, for illumos. Pure. Sources: smf(7), service_bundle(5), smf_method(7),
// svc.startd(8) of illumos.
import { commandOf, stopTimeoutOf, type UnitOptions } from './unit.ts';

type Element = {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
};

/** The last part of the service's name, of its files and of its method. */
export function smfName({ role }: Pick<UnitOptions, 'role'>): string {
  return `rfo-${role}`;
}

/**
 * A service_bundle. It waits for the network and the local file systems, the CA for its certificate too. The process is one that svc.startd waits for
 * (`duration` child): it stays in the foreground, and is started again when it ends. What it runs is in the property group `rfo`, so that
 * `svccfg setprop` can change it without a new manifest.
 */
export function renderSmfManifest(options: UnitOptions): string {
  const { role, caDir } = options;
  const name = smfName(options);
  const method = (phase: 'start' | 'stop' | 'refresh', exec: string, timeout: number): Element =>
    element('exec_method', { type: 'method', name: phase, exec, timeout_seconds: String(timeout) });
  const service = element('service', { name: `application/${name}`, type: 'service', version: '1' }, [
    element('create_default_instance', { enabled: 'false' }),
    element('single_instance', {}),
    dependency('network', 'svc:/milestone/network:default', { restart: 'error' }),
    dependency('filesystem', 'svc:/system/filesystem/local:default', { restart: 'error' }),
    dependency('name-services', 'svc:/milestone/name-services:default', { grouping: 'optional_all' }),
    ...(role === 'ca' ? [dependency('authority', `file://localhost${caDir}/ca.pem`, { type: 'path' })] : []),
    element('method_context', { working_directory: '/' }, [
      // The CA needs no right but those of the owner of its files; a node's parts are root's.
      element('method_credential', { user: 'root', group: 'root', ...(role === 'ca' && { privileges: 'basic' }) }),
      element('method_environment', {}, [element('envvar', { name: 'PATH', value: '/usr/local/bin:/usr/bin:/usr/sbin:/sbin' })]),
    ]),
    // A start method of a child has no end, so it has no limit either.
    method('start', `/lib/svc/method/${name} start`, 0),
    method('stop', `/lib/svc/method/${name} stop %{restarter/contract}`, stopTimeoutOf(options) + 10),
    ...(role === 'ca' ? [method('refresh', `/lib/svc/method/${name} refresh`, 10)] : []),
    element('property_group', { name: 'startd', type: 'framework' }, [
      property('duration', 'child'),
      // A component that crashes is started again by rfo; that is no fault of the service.
      property('ignore_error', 'core,signal'),
    ]),
    element('property_group', { name: 'rfo', type: 'application' }, [
      property('command', commandOf(options).join(' ')),
      property('stop_seconds', String(stopTimeoutOf(options)), 'count'),
    ]),
    element('stability', { value: 'Evolving' }),
    element('template', {}, [
      element('common_name', {}, [text(titleOf(options))]),
      element('description', {}, [
        text(
          `Runs ${commandOf(options)
            .slice(0, role === 'ca' ? 3 : 2)
            .join(' ')} in the foreground; its log is svcs -L ${name}.`,
        ),
      ]),
    ]),
  ]);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE service_bundle SYSTEM "/usr/share/lib/xml/dtd/service_bundle.dtd.1">',
    `<!-- svccfg validate ${name}.xml; svccfg import ${name}.xml; svcadm enable ${name} -->`,
    ...render(element('service_bundle', { type: 'manifest', name }, [service]), ''),
    '',
  ].join('\n');
}

/**
 * The method script: it becomes the program at the start. At the stop it tells the program alone, which ends its children in order; what is left of the
 * contract after its time is killed.
 */
export function renderSmfMethod(options: UnitOptions): string {
  // A server ends the components as Ctrl-C does: they would not outlive the contract of the service.
  const signal = options.role === 'ca' ? 'TERM' : 'INT';
  const pidFile = `/var/run/${smfName(options)}.pid`;
  return `#!/sbin/sh
# Starts and stops ${smfName(options)} for SMF; installed as /lib/svc/method/${smfName(options)}, mode 0555.

. /lib/svc/share/smf_include.sh

property() {
  /usr/bin/svcprop -p "rfo/$1" "$SMF_FMRI"
}

# The process that was started, unless its number has become that of another since.
started() {
  pid=$(cat ${pidFile} 2>/dev/null) && [ -n "$pid" ] && [ -d "/proc/$pid" ] && [ "$(/usr/bin/ps -o ctid= -p "$pid" | tr -d ' ')" = "$1" ]
}

case "$1" in
start)
  command=$(property command) || exit $SMF_EXIT_ERR_CONFIG
  # svcprop writes blanks with a backslash before them.
  command=$(printf '%s' "$command" | sed 's/\\\\ / /g')
  [ -x "\${command%% *}" ] || { echo "\${command%% *} cannot be run"; exit $SMF_EXIT_ERR_CONFIG; }
  echo $$ >${pidFile}
  exec $command
  ;;
stop)
  seconds=$(property stop_seconds) || exit $SMF_EXIT_ERR_CONFIG
  if started "$2"; then
    kill -${signal} "$pid"
    while started "$2" && [ "$seconds" -gt 0 ]; do
      sleep 1
      seconds=$((seconds - 1))
    done
  fi
  rm -f ${pidFile}
  smf_kill_contract "$2" TERM 1 5
  [ $? -ne 0 ] && smf_kill_contract "$2" KILL 1
  ;;
${
  options.role === 'ca'
    ? `refresh)
  pid=$(cat ${pidFile}) && kill -HUP "$pid" || exit $SMF_EXIT_ERR_FATAL
  ;;
`
    : ''
}*)
  echo "Usage: $0 start|stop"
  exit $SMF_EXIT_ERR_FATAL
  ;;
esac
exit $SMF_EXIT_OK
`;
}

function dependency(
  name: string,
  fmri: string,
  given: { readonly type?: 'service' | 'path'; readonly grouping?: 'require_all' | 'optional_all'; readonly restart?: 'none' | 'error' },
): Element {
  const { type = 'service', grouping = 'require_all', restart = 'none' } = given;
  return element('dependency', { name, grouping, restart_on: restart, type }, [element('service_fmri', { value: fmri })]);
}

function property(name: string, value: string, type: 'astring' | 'count' = 'astring'): Element {
  return element('propval', { name, type, value });
}

function titleOf({ role, outside }: UnitOptions): string {
  if (role === 'ca') return 'RFO certificate authority';
  return outside ? 'RFO control plane' : `RFO ${role}`;
}

function text(words: string): Element {
  return element('loctext', { 'xml:lang': 'C' }, [words]);
}

function element(tag: string, attributes: Element['attributes'], children: Element['children'] = []): Element {
  return { tag, attributes, children };
}

function render({ tag, attributes, children }: Element, indent: string): string[] {
  const begin = `${indent}<${tag}${Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('')}`;
  if (children.length === 0) return [`${begin}/>`];
  const [only] = children;
  if (children.length === 1 && typeof only === 'string') return [`${begin}>${escapeXml(only)}</${tag}>`];
  const inner = children.flatMap((child) =>
    typeof child === 'string' ? [`${indent}  ${escapeXml(child)}`] : render(child, `${indent}  `),
  );
  return [`${begin}>`, ...inner, `${indent}</${tag}>`];
}

function escapeXml(value: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return value.replace(/[&<>"]/g, (letter) => names[letter] ?? letter);
}
