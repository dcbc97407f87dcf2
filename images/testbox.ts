import type { FileEntry, ImageConfig } from '@rfo/oci';

/** The image that the end-to-end scenarios run their pods from: BusyBox of the host's own package, and links to what they call. */
export const testboxImage: {
  readonly name: string;
  readonly tag: string;
  readonly binary: string;
  readonly files: readonly FileEntry[];
  readonly config: ImageConfig;
} = {
  name: 'testbox',
  tag: '1',
  binary: '/bin/busybox',
  files: [
    { path: '/etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' },
    { path: '/etc/group', content: 'root:x:0:\nnogroup:x:65534:\n' },
    { path: '/root', directory: true, mode: 0o700 },
    { path: '/tmp', directory: true, mode: 0o1777 },
    { path: '/www/index.html', content: 'testbox\n' },
    ...applets().map((name) => ({ path: `/bin/${name}`, target: 'busybox' })),
  ],
  config: { entrypoint: [], command: ['/bin/sh'], env: ['PATH=/bin'] },
};

function applets(): string[] {
  return `sh ash cat cp date dd df du echo env false find free grep head hostname httpd id ip kill ln ls md5sum mkdir mount mv nc netstat
    nslookup ping printf ps pwd readlink rm route sed seq sha256sum sleep sort stat sync tail tar tee telnet test time timeout top touch true
    umount uname uniq usleep vi wc wget which xargs yes`.split(/\s+/);
}
