export {
  type AgentConfig,
  agentConfig,
  type ClusterSettings,
  clusterSettingKeys,
  clusterSettingsOf,
  defaultClusterSettings,
  type NodeConfig,
  nodeConfigOf,
  parseClusterSettings,
} from './agent-config.ts';
export type { CaJoinConfig } from './ca-join-options.ts';
export type { CaServeConfig, CfsslCompatibility } from './ca-options-serve.ts';
export type { CaGencertConfig, CaSignConfig } from './ca-options-sign.ts';
export {
  type AgentCredentials,
  type AgentHello,
  type AgentProblem,
  type AgentRefusal,
  type AgentSettings,
  type AgentWelcome,
  agentName,
  agentPaths,
  agentSecretKeys,
  agentTarget,
  endpointPort,
  endpointSecret,
  longestAgentLine,
  parseAgentHello,
  parseAgentSettings,
  parseAgentUpdate,
  parseAgentWelcome,
  parseIssuedToken,
} from './cluster-agent-protocol.ts';
export { type AnyDeclaration, type Declaration, declareOptions, type Flaw, type Rule, subset, type Values } from './declaration.ts';
export { addressOf } from './ipv4.ts';
export { loadCaOptions } from './load-ca-options.ts';
export { type Loaded, loadArguments, loadConfig } from './load-config.ts';
export { loadClusterAgentConfig, loadManagerSchema } from './load-manager-schema.ts';
export type { ClusterAgentConfig } from './manager/cluster-agent-options.ts';
export type { DraftOf, ManagerKind, ObjectMetadata, ObjectOf, StatusPatchOf } from './manager/kind.ts';
export type {
  AuditSegment,
  AuthProvider,
  Cluster,
  GlobalRoleBinding,
  ManagerKinds,
  PolicyRule,
  Project,
  RoleTemplate,
  Setting,
  Token,
  User,
} from './manager/kinds.ts';
export type { ManagerConfig } from './manager/options.ts';
export type { WatchMessage, WatchRequest, WatchSubscribe } from './manager/watch-protocol.ts';
export { loadManagerCliOptions } from './manager-cli-load.ts';
export { agentNamespace, managerNamespace } from './namespaces.ts';
export type { CiliumVersion } from './network-options.ts';
export type { Bgp, BgpAttributes, BgpPeer, NetworkDeclaration } from './network-options-declaration.ts';
export { loadNetworkOptions } from './network-options-load.ts';
export { list, maybe, type OptionInfo, type OptionMeta, optionGroup, preset, type Shape, toggle } from './option.ts';
export type { Environment } from './read-environment.ts';
export { defaultOf, renderOptions } from './render-options.ts';
export { renderCommandReference, renderErrorReference, renderFlagReference } from './render-reference.ts';
export { type Chosen, problemsOf } from './resolve-config.ts';
export {
  type CheckConfig,
  checkConfig,
  type KillallConfig,
  killallConfig,
  type ServerConfig,
  serverConfig,
  serverConfigOf,
  type ToolConfig,
  toolConfig,
} from './server-config.ts';
export { packagedAddons } from './server-options/components.ts';
export { nearest } from './suggest.ts';
export {
  nodeReadoptConfig,
  tokenCreateConfig,
  tokenDeleteConfig,
  tokenListConfig,
  tokenRotateConfig,
} from './token-options.ts';
