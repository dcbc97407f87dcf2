export { managerApiVersion } from './kind.ts';
export { managerKinds } from './kinds.ts';
export { objectParser } from './parse-object.ts';
export { renderCrds } from './render-crds.ts';
export { renderObjectReference } from './render-object-reference.ts';
