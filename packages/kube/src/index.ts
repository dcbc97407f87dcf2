export { ApiStatus, apiStatus, isAlreadyExists, isConflict, isGone, isNotFound } from './api-status.ts';
export {
  type ApplyOptions,
  clientOn,
  createKubeClient,
  type DeleteOptions,
  type KubeClient,
  type KubeClientOptions,
  type PatchOptions,
  type RawRequest,
  type Selection,
  type WatchEvent,
} from './client.ts';
export {
  type Controller,
  type ControllerOptions,
  createController,
  fromInformer,
  type KeySource,
  type ReconcileResult,
  TerminalError,
} from './controller.ts';
export type { CredentialReader, CredentialSources, Credentials, Source } from './credentials.ts';
export { createCredentialReader } from './credentials.ts';
export { createHttp2Transport } from './http2-transport.ts';
export { createInformer, type Informer, type InformerOptions } from './informer.ts';
export type { Condition, CustomResourceDefinition, EventObject, Lease } from './kinds.ts';
export { loadKubeconfig } from './kubeconfig.ts';
export { electLeader, type LeaderOptions } from './leader-election.ts';
export {
  formatRef,
  groupOf,
  type Kind,
  type KubeObject,
  metadataOnly,
  type ObjectList,
  type ObjectMeta,
  type ObjectRef,
  objectKey,
  refOf,
  splitKey,
} from './object.ts';
export type { ApiResource } from './resource-path.ts';
export { readEntries, readEntry, renderEntries, type Secret, secretKind } from './secret.ts';
export { type Change, type IndexFunction, Store } from './store.ts';
export { startTestCluster, type TestCluster } from './testing.ts';
export {
  type DirectToken,
  type DirectUser,
  type DirectUsers,
  directUsersLabel,
  followDirectUsers,
  renderDirectUser,
} from './token-review/direct-users.ts';
export { serveTokenReviews } from './token-review/serve-token-reviews.ts';
export { renderWebhookConfig } from './token-review/webhook-config.ts';
export type { Transport, TransportRequest, TransportResponse } from './transport.ts';
export { waitForObject } from './wait-for-object.ts';
export { type WatchItem, type WatchOptions, watch } from './watch.ts';
export { WorkQueue } from './work-queue.ts';
