/** The options of `rfo network` and `rfo service` and the declaration they read, loaded when they are wanted. */
export const loadNetworkOptions = async () => {
  const [options, declaration] = await Promise.all([import('./network-options.ts'), import('./network-options-declaration.ts')]);
  const { bgpRenderConfig, ciliumValuesConfig, serviceRenderConfig, networkCommandConfigs } = options;
  const { kindOfCommunity, networkDeclaration, readBlock } = declaration;
  return {
    bgpRenderConfig,
    ciliumValuesConfig,
    serviceRenderConfig,
    networkCommandConfigs,
    kindOfCommunity,
    networkDeclaration,
    readBlock,
  };
};
