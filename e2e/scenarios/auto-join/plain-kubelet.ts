/** What a plain kubelet needs beside its user data: programs in an archive, and what an image or a network add-on would bring. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { type Node, testbox } from '../../harness/node.ts';
import { type FullHost, repository } from '../../lab/index.ts';
import { architecture, publishPrograms } from './authority.ts';

const built = join(repository, '.cache/dist');
const program = (name: string): string => join(built, 'bin', name);

const containerdUnit = `[Unit]
Description=containerd
[Service]
Type=notify
ExecStart=/usr/local/bin/containerd
Delegate=yes
KillMode=process
Restart=always
[Install]
WantedBy=multi-user.target
`;

/** The upstream programs, as `kubelet-<architecture>.tar.gz` on the seed server. */
export async function publishKubelet(control: Node): Promise<void> {
  const names = ['kubelet', 'containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'];
  const programs = Object.fromEntries(names.map((name) => [`bin/${name}`, program(name)]));
  await publishPrograms(control, `kubelet-${architecture}`, { ...programs, 'lib/systemd/system/containerd.service': containerdUnit });
}

/** A pod network of this host alone: who brings the cluster's is not the point here. */
export async function putPodNetwork(host: FullHost): Promise<void> {
  const links = ['bridge', 'host-local', 'loopback', 'portmap'].map((name) => `ln -s ${program(name)} /opt/cni/bin/`);
  await host.must(['sh', '-ec', ['mkdir -p /opt/cni/bin', ...links].join('\n')]);
  const ipam = { type: 'host-local', ranges: [[{ subnet: '10.77.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] };
  const plugins = [{ type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: false, ipam }];
  await host.writeFile('/etc/cni/net.d/10-bridge.conflist', JSON.stringify({ cniVersion: '1.0.0', name: 'bridge', plugins }));
}

/** Loads the images that pods need, as soon as containerd runs: there is no registry. */
export async function loadImages(host: FullHost, signal: AbortSignal): Promise<void> {
  const ctr = ['/usr/local/bin/ctr', '--namespace', 'k8s.io', 'images'];
  await eventually('containerd', async () => ((await host.exec([...ctr, 'ls'])).code === 0 ? true : undefined), { signal });
  for (const file of ['images/pause.tar', 'images-test/testbox.tar']) await host.must([...ctr, 'import', join(built, file)]);
  const { images } = JSON.parse(await readFile(join(built, 'bundle.json'), 'utf8')) as { images: { pause: { reference: string } } };
  const dump = await host.must(['/usr/local/bin/containerd', 'config', 'dump']);
  const wanted = /^\s*sandbox(?:_image)? = ['"]([^'"]+)['"]$/m.exec(dump)?.[1];
  if (wanted === undefined) throw new Error(`containerd names no image of sandboxes:\n${dump}`);
  await host.must([...ctr, 'tag', images.pause.reference, wanted]);
}

/** A pod on one node that answers there, and nowhere else. */
export const podOn = (name: string, nodeName: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: {
    nodeName,
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: 'box', image: testbox, imagePullPolicy: 'Never', command: ['sh', '-c', 'echo started on $HOSTNAME; exec sleep 100000'] },
    ],
  },
});
