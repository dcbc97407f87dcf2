/** The version of the manager, as agents and the REST interface tell it. */
export const managerVersion = '0.1.0';
