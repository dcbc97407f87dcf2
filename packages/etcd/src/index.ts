export { createEtcdClient, type EtcdAlarm, type EtcdClient, type EtcdStatus, type KeyValue } from './client.ts';
export { type CallOptions, type EtcdEndpoint, etcdRefusal, type Int64 } from './gateway.ts';
export type { EtcdMember } from './member-calls.ts';
export { createTestMembers, type TestMember, type TestMembers, type TestSlot } from './testing.ts';
export { verifySnapshotFile } from './verify-snapshot-file.ts';
export type { KeyChange } from './watch.ts';
