export {
  createEtcdClient,
  type EtcdAlarm,
  type EtcdClient,
  type EtcdMember,
  type EtcdStatus,
  type Int64,
  type KeyValue,
} from './client.ts';
export type { CallOptions, EtcdEndpoint } from './gateway.ts';
export { verifySnapshotFile } from './verify-snapshot-file.ts';
