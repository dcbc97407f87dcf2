/** Says why the manager cannot be reached, in one word and in a sentence that names the cure. */
import { RfoError, systemCode, toRfoError } from '@rfo/foundation';
import { ProxyProblem, UpgradeRefused } from '@rfo/tunnel';

export type Reason =
  | 'DNS'
  | 'Network'
  | 'Proxy'
  | 'TLSChain'
  | 'TLSName'
  | 'Clock'
  | 'TokenRefused'
  | 'NotManager'
  | 'ManagerBusy'
  | 'Silent'
  | 'Settings'
  | 'Unknown';
export type Explanation = { readonly reason: Reason; readonly message: string };

const dnsCodes = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME']);
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTDOWN',
  'ECONNABORTED',
  'EACCES',
]);
const chainCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'CERT_CHAIN_TOO_LONG',
]);

/** @param input.server `host:port` of the manager; `now` by this host's clock */
export function explain(error: unknown, { server, now }: { readonly server: string; readonly now: number }): Explanation {
  if (error instanceof ProxyProblem)
    return { reason: 'Proxy', message: `${error.message}: check HTTPS_PROXY and what the proxy lets through` };
  if (error instanceof UpgradeRefused) return explainRefusal(error, server);
  if (error instanceof RfoError && error.code === 'agent-refused') return explainWelcome(error);
  if (error instanceof RfoError && error.code === 'agent-settings') return { reason: 'Settings', message: error.message };
  if (error instanceof AggregateError && error.errors.length > 0) return explain(error.errors[0], { server, now });
  const code = systemCode(error) ?? '';
  const text = error instanceof Error ? error.message : String(error);
  const clock = new Date(now).toISOString();
  if (dnsCodes.has(code))
    return { reason: 'DNS', message: `the name in ${server} is not known here (${code}): check the DNS of this host and server-url` };
  if (code === 'CERT_NOT_YET_VALID') {
    return {
      reason: 'Clock',
      message: `the certificate of ${server} is not valid yet by the clock of this host, which says ${clock}: set the clock`,
    };
  }
  if (code === 'CERT_HAS_EXPIRED') {
    const message = `the certificate of ${server} has expired by the clock of this host, which says ${clock}: set the clock if that is wrong, else renew the certificate`;
    return { reason: 'Clock', message };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return { reason: 'TLSName', message: `the certificate of ${server} is for other names: ${text}` };
  if (chainCodes.has(code)) {
    const message = `the certificate of ${server} is not of the authority that this agent was given (${code}): something between answers in its place, or the CA of the manager was changed without ca-bundle-next`;
    return { reason: 'TLSChain', message };
  }
  if (networkCodes.has(code))
    return {
      reason: 'Network',
      message: `${server} cannot be reached (${text}): check the network, firewalls, and whether a proxy has to be set`,
    };
  if (code.startsWith('ERR_SSL') || code === 'EPROTO' || /does not speak/.test(text)) {
    return { reason: 'NotManager', message: `what answers at ${server} is no manager (${text}): check server-url` };
  }
  if (/(within|for) [\d.]+ s/.test(text))
    return { reason: 'Silent', message: `${server} does not answer (${text}): check firewalls between, and whether the manager is well` };
  if (/closed the connection|ended it/.test(text)) {
    return { reason: 'Network', message: `the connection to ${server} was closed by the manager, or by something between (${text})` };
  }
  return { reason: 'Unknown', message: `${server}: ${toRfoError(error).message}` };
}

function explainRefusal({ status, text, message }: UpgradeRefused, server: string): Explanation {
  if (status === 401 || status === 403)
    return { reason: 'TokenRefused', message: `the manager refuses the token of this agent: ${text || status}` };
  if (status === 407) return { reason: 'Proxy', message: `a proxy between wants credentials (407): check HTTPS_PROXY` };
  if (status === 502 || status === 503 || status === 504) {
    return {
      reason: 'ManagerBusy',
      message: `what stands before the manager at ${server} has nobody to pass this on to (${status}): check that the manager runs`,
    };
  }
  return {
    reason: 'NotManager',
    message: `${message}: what answers at ${server} does not let WebSockets through to the manager, or is none`,
  };
}

function explainWelcome(error: RfoError): Explanation {
  return { reason: error.retryable || /\(Busy\)/.test(error.message) ? 'ManagerBusy' : 'TokenRefused', message: error.message };
}
