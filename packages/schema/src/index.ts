export { type AnyDeclaration, type Declaration, declareOptions, type Flaw, type Rule, subset, type Values } from './declaration.ts';
export { addressOf } from './ipv4.ts';
export { type Loaded, loadConfig } from './load-config.ts';
export { list, maybe, type OptionInfo, type OptionMeta, optionGroup, preset, toggle } from './option.ts';
export type { Environment } from './read-environment.ts';
export { renderOptions } from './render-options.ts';
export { renderErrorReference, renderFlagReference } from './render-reference.ts';
export { problemsOf } from './resolve-config.ts';
export {
  type CheckConfig,
  checkConfig,
  type ServerConfig,
  serverConfig,
  serverConfigOf,
  type ToolConfig,
  toolConfig,
} from './server-config.ts';
export { packagedAddons } from './server-options/components.ts';
export { nearest } from './suggest.ts';
