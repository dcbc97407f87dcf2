import type { TestMembers } from './testing/members.ts';

export type { TestMember, TestMembers, TestSlot } from './testing/members.ts';

/** For tests: real etcds on loopback. Loaded only when called, so that no program carries it. Throws bundle-missing. */
export async function createTestMembers(): Promise<TestMembers> {
  const { createMembers } = await import('./testing/members.ts');
  return createMembers();
}
