/** Which node a certificate speaks for. */
import type { CertificateInfo } from '@rfo/pki';

/** The name of the node, when the subject is that of a node and of nothing else; undefined otherwise. */
export function nodeOf({ subject }: Pick<CertificateInfo, 'subject'>): string | undefined {
  const [group, user, ...more] = [...subject].sort((one, other) => (one.type < other.type ? 1 : -1));
  if (more.length > 0 || group?.type !== 'O' || group.value !== 'system:nodes' || user?.type !== 'CN') return undefined;
  return /^system:node:(.+)$/.exec(user.value)?.[1];
}
