/** The options of the certificate authority, loaded when they are wanted: half a megabyte that no node has to carry. */
export const loadCaOptions = async () => {
  const [common, serve, sign, join] = await Promise.all([
    import('./ca-options.ts'),
    import('./ca-options-serve.ts'),
    import('./ca-options-sign.ts'),
    import('./ca-join-options.ts'),
  ]);
  const { caCommandConfigs } = sign;
  return { ...common, ...serve, ...sign, ...join, caCommandConfigs };
};
