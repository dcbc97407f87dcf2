/** The virtual IP as a component of a server: one address for ports 6443 and 9345, held by one server whose API server serves. */
import type { KubeClient } from '@rfo/kube';
import type { TaskComponent, TaskContext } from '../component/component.ts';
import { watchNetwork } from '../host/watch-network.ts';
import { addressPort, checkAddress, recordedAddress, removeRecordedAddress } from './address.ts';
import { type Bell, createBell } from './bell.ts';
import { contend } from './contend.ts';
import { openLease, type VipLease } from './lease.ts';
import type { VipAddress } from './render-address.ts';
import { type Timing, usualTiming } from './timing.ts';

export type VipInputs = {
  /** Of this node's own API server: a server that cannot reach it must not hold the address. */
  readonly client: KubeClient;
  readonly address: VipAddress;
  /** `paths.vipRecord` */
  readonly recordFile: string;
  /** Different for every server, and the same after a restart. */
  readonly nodeName: string;
  /** Whether this node's own API server is well, as its component says. */
  readonly apiReady: () => boolean;
  /** Whether the component's life, which ends with this reason, ends for a next rfo that goes on at once. */
  readonly released: (reason: unknown) => boolean;
  readonly timing?: Timing;
};

/**
 * Ready when this server takes part in the contest, whoever holds the address.
 * Fails for good with vip-is-host-address and vip-interface-missing.
 */
export function vipComponent(inputs: VipInputs): TaskComponent {
  return { kind: 'task', name: 'vip', needs: ['kube-apiserver'], run: (context) => run(inputs, context) };
}

async function run(inputs: VipInputs, { life, log, note }: TaskContext): Promise<void> {
  const { address, recordFile, client, nodeName, timing = usualTiming } = inputs;
  const { signal } = life;
  await checkAddress(address);
  const earlier = await recordedAddress(recordFile);
  if (earlier !== undefined && (earlier.ip !== address.ip || earlier.iface !== address.iface)) {
    for (const what of await removeRecordedAddress(recordFile)) log.warn(`left behind: ${what}`);
  }
  const lease = openLease({ client, identity: nodeName, timing });
  const port = addressPort(address, recordFile);
  const bell = createBell();
  note('the Lease of the virtual IP has not been read yet');
  const following = followLease({ lease, bell, context: { life, log, note } });
  life.defer(() => following);
  await untilRead(lease, bell, signal);
  // What an earlier rfo left is ours only if the Lease says so.
  if (!lease.mine()) await port.drop();
  const contest = contend({
    ...{ lease, address: port, timing, bell, signal, log },
    apiReady: inputs.apiReady,
    released: inputs.released,
  });
  life.defer(() => contest);
  watchNetwork('link', { onChange: bell.ring, life, log });
}

function followLease(input: { readonly lease: VipLease; readonly bell: Bell; readonly context: TaskContext }): Promise<void> {
  const { lease, bell, context } = input;
  return lease.follow(context.life.signal, {
    onChange: bell.ring,
    onBreak: (error) => {
      if (error !== undefined) context.log.debug('the watch of the Lease failed', { error });
      // Perhaps the API server is gone: the holder finds out by renewing.
      bell.ring();
    },
  });
}

async function untilRead(lease: VipLease, bell: Bell, signal: AbortSignal): Promise<void> {
  while (lease.freeIn() === Number.POSITIVE_INFINITY) {
    await bell.wait(Number.POSITIVE_INFINITY, signal);
    signal.throwIfAborted();
  }
}
