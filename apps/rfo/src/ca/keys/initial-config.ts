/** The signing configuration that `rfo ca init` writes: cfssl reads it too. */

export type InitialConfig = {
  /** Hex: what CFSSL clients and this CA share; nodes get tokens of their own instead. */
  readonly authKey: string;
  /** Hex: whoever has it may revoke, and have certificates made without a request. */
  readonly operatorKey: string;
  readonly ocspUrl: string;
  readonly crlUrl: string;
  /** A profile for further CAs below this one. */
  readonly intermediate: boolean;
};

/** JSON in cfssl's format. `rfo_bind` is ours and means nothing to cfssl: the names of nodes are the only ones that the profile gives. */
export function renderInitialConfig({ authKey, operatorKey, ocspUrl, crlUrl, intermediate }: InitialConfig): string {
  const common = { auth_key: 'key1', ocsp_url: ocspUrl, crl_url: crlUrl };
  const sign = ['signing', 'key encipherment'];
  const profiles = {
    ...(intermediate && {
      intermediate: {
        ...common,
        expiry: '43800h',
        usages: ['cert sign', 'crl sign'],
        ca_constraint: { is_ca: true, max_path_len: 0, max_path_len_zero: true },
      },
    }),
    'ocsp': { ...common, expiry: '26280h', usages: ['digital signature', 'ocsp signing'], ocsp_no_check: true },
    'www': { ...common, expiry: '8760h', usages: [...sign, 'server auth'] },
    'kubelet': { ...common, expiry: '8760h', usages: [...sign, 'client auth', 'server auth'], rfo_bind: 'node' },
    'client': { ...common, expiry: '8760h', usages: [...sign, 'client auth'] },
    'kubelet-client': { ...common, expiry: '720h', usages: [...sign, 'client auth'], rfo_bind: 'node' },
    'kubelet-serving': { ...common, expiry: '720h', usages: [...sign, 'server auth'], rfo_bind: 'node' },
  };
  const config = {
    signing: { default: { ...common, expiry: '168h', usages: [...sign, 'server auth', 'client auth'] }, profiles },
    auth_keys: { key1: { type: 'standard', key: authKey }, operator: { type: 'standard', key: operatorKey } },
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
