export { collectNode, collectProgram } from './collect-program.ts';
export { type Bundle, readBundle } from './compose-bundle.ts';
export { ensureProgramImages, ensureTestImages } from './compose-images.ts';
export { type BuildComponentsOptions, buildComponents, ensureComponents } from './ensure-components.ts';
export { ensureChart } from './pack-chart.ts';
export type { BuildEvent, Report } from './progress.ts';
export { openReport } from './report.ts';
export { takeBuiltins } from './take-builtins.ts';
