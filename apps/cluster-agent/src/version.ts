/** The version of the agent, as it tells the manager. */
export const agentVersion = '0.1.0';
