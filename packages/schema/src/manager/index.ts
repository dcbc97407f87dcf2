export { managerApiVersion } from './kind.ts';
export { managerKinds } from './kinds.ts';
export { managerConfig } from './options.ts';
export { objectParser } from './parse-object.ts';
export { renderCrds } from './render-crds.ts';
export { renderObjectReference } from './render-object-reference.ts';
export { renderWatchReference } from './render-watch-reference.ts';
export { servedResource } from './served-resource.ts';
export {
  longestWatchRequest,
  parseWatchMessage,
  resourceFields,
  watchCloseCodes,
  watchRequestSchema,
  watchSubprotocol,
} from './watch-protocol.ts';
