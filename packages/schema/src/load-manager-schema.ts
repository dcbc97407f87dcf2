/** The objects of the manager and the options of its programs, loaded when they are wanted: no node has to carry them. */
export const loadManagerSchema = async () => await import('./manager/index.ts');

/** The options of the agent alone. */
export const loadClusterAgentConfig = async () => (await import('./manager/cluster-agent-options.ts')).clusterAgentConfig;
