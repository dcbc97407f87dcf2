/** Where what is of RFO stands in a cluster: together, where one has both the manager and agents. */
const ours = 'rfo-system';

/** Of the agents in a cluster, and of what their manager leaves there for its API servers. */
export const agentNamespace = ours;

/** Of the manager, unless its options name another. */
export const managerNamespace = ours;
