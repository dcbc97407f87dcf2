/** The objects of the manager and the options of its programs, loaded when they are wanted: no node has to carry them. */
export const loadManagerSchema = async () => {
  const [objects, options] = await Promise.all([import('./manager/index.ts'), import('./manager/options.ts')]);
  const {
    longestWatchRequest,
    managerApiVersion,
    managerKinds,
    objectParser,
    parseWatchMessage,
    renderCrds,
    renderObjectReference,
    renderWatchReference,
    resourceFields,
    watchCloseCodes,
    watchRequestSchema,
    watchSubprotocol,
  } = objects;
  const { managerConfig } = options;
  return {
    longestWatchRequest,
    managerApiVersion,
    managerKinds,
    objectParser,
    parseWatchMessage,
    renderCrds,
    renderObjectReference,
    renderWatchReference,
    resourceFields,
    watchCloseCodes,
    watchRequestSchema,
    watchSubprotocol,
    managerConfig,
  };
};

/** The options of the agent alone. */
export const loadClusterAgentConfig = async () => (await import('./manager/cluster-agent-options.ts')).clusterAgentConfig;
