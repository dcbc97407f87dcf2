/** Arguments of a component as a table: flag name without dashes → value. */
export type Arguments = Readonly<Record<string, string | number | boolean>>;

/**
 * Renders `--name=value` arguments, the user's `*-arg` values merged over ours: a name that the user gives replaces our value,
 * a name that he repeats is passed repeatedly, a name without `=` is passed bare.
 * @param user values of a `kube-apiserver-arg`-like setting, each `name=value`, with or without leading dashes
 */
export function renderArguments(defaults: Arguments, user: readonly string[]): string[] {
  const given = user.map((argument) => argument.replace(/^--?/, ''));
  const replaced = new Set(given.map((argument) => argument.split('=', 1)[0]));
  const own = Object.entries(defaults)
    .filter(([name]) => !replaced.has(name))
    .map(([name, value]) => `${name}=${value}`);
  return [...own, ...given].map((argument) => `--${argument}`);
}

/** TLS 1.2 suites with forward secrecy and authenticated encryption only; TLS 1.3 picks its own. */
export const tlsCipherSuites = [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
] as const;
