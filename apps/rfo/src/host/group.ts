/** The host's groups. */
import { fail, readFileIfExists } from '@rfo/foundation';

/**
 * The number of a group, given by its name or as a number.
 * @throws group-unknown
 */
export async function groupId(group: string, file = '/etc/group'): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const rows = ((await readFileIfExists(file)) ?? '').split('\n').map((line) => line.split(':'));
  // group(5): name, password, number, members.
  const [, , number] = rows.find(([name]) => name === group) ?? [];
  if (number === undefined || !/^\d+$/.test(number)) throw fail('group-unknown', { group });
  return Number(number);
}
