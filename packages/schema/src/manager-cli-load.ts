/** The options of `rfo manager`, loaded when they are wanted: no node has to carry them. */
export const loadManagerCliOptions = async () => await import('./manager-cli-options.ts');
