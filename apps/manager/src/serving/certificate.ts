/** What the listener shows to those who connect, wherever it comes from. */
export type ServingCertificate = {
  /** PEM: the certificate with those of the CAs between it and the root, and its private key. */
  readonly current: () => { readonly cert: string; readonly key: string };
  /** PEM of the CA by which others shall know it; undefined: one that their hosts trust already. */
  readonly ca: () => string | undefined;
  /** Called when any of it has changed; gives the function that ends it. */
  readonly onChange: (listener: () => void) => () => void;
};
