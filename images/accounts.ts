import type { FileEntry } from '@rfo/oci';

/** The account that servers run as: not root, no shell. 65532 is what upstream's images use, so that their charts' settings fit. */
export const nonroot = '65532:65532';

/** The least that programs look up: names of the two accounts, and a folder for temporary files. */
export const baseFiles: readonly FileEntry[] = [
  {
    path: '/etc/passwd',
    content: 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n',
  },
  { path: '/etc/group', content: 'root:x:0:\nnonroot:x:65532:\n' },
  { path: '/tmp', directory: true, mode: 0o1777 },
];
