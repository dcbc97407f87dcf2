const passed = new Set([
  ...['PATH', 'HOME', 'TZ', 'LANG', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['GOGC', 'GOMEMLIMIT', 'GOMAXPROCS', 'GODEBUG', 'GOTRACEBACK'],
]);
const passedEndings = /(^|_)(https?_proxy|all_proxy|no_proxy)$/i;

/**
 * What a child gets of our own environment: an allow-list, because the rest changes from one start of rfo to the next (INVOCATION_ID, SSH_TTY)
 * and would spoil adoption, is not theirs (NOTIFY_SOCKET: they would report us ready), or is secret (RFO_TOKEN).
 * Proxies pass under any prefix (`CONTAINERD_HTTPS_PROXY`), as RKE2's users set them.
 */
export function childEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const pairs = Object.entries(own).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && (passed.has(pair[0]) || passedEndings.test(pair[0])),
  );
  return Object.fromEntries(pairs);
}
