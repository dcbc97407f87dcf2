/** Notices that the host has another address than the node was started with, or none. What is done then: docs/decisions/0008-changed-addresses.md. */
import { type Life, type Log, orAbort, RfoError, sleep } from '@rfo/foundation';
import type { NodeAddress } from './node-address.ts';
import { watchNetwork } from './watch-network.ts';

type Address = Pick<NodeAddress, 'nodeIps' | 'overlayIp'>;

/** Milliseconds that what is seen has to stay before it counts: a change comes in steps, and a DHCP client may try an address. */
const settlesWithin = 1_000;

/**
 * Resolves with what has changed once the node's address is another one for good; never where that does not happen. An address that is
 * gone is told of and waited for: the node runs on meanwhile, and what it had open works again when the address is back.
 * @param options.look the address at this moment; throws node-ip-gone or node-address-gone while there is none
 */
export function untilMoved(options: {
  readonly started: Address;
  readonly look: () => Promise<Address>;
  readonly life: Life;
  readonly log: Log;
}): Promise<string> {
  const { started, look, life, log } = options;
  const { promise: moved, resolve } = Promise.withResolvers<string>();
  const untilSettled = createSettling(settlesWithin);
  let told = '';

  const lookOnce = async (): Promise<void> => {
    const sight = await look().then((address) => compare(started, address), ofError);
    const wait = untilSettled(sight, performance.now());
    if (wait > 0) return void sleep(wait, life.signal).then(lookNext, () => undefined);
    if (sight.kind === 'moved') resolve(sight.what);
    if (sight.kind === 'here' && told !== '') log.info('this node has its address again', { address: started.nodeIps.join(', ') });
    if (sight.kind === 'gone' && sight.what !== told) log.warn(sight.what);
    told = sight.kind === 'gone' ? sight.what : '';
  };
  let looking = Promise.resolve();
  const lookNext = (): void => {
    looking = looking.then(() => (life.signal.aborted ? undefined : lookOnce()));
  };
  watchNetwork('address', { onChange: lookNext, life, log });
  life.defer(() => looking);
  return moved;
}

/**
 * Does it, and again whenever the addresses of this host change, as long as it fails because the node's is gone. Says so once.
 * @throws what `act` throws else; the signal's reason
 */
export async function whenAddressed<T>(
  act: () => Promise<T>,
  { life, signal, log }: { readonly life: Life; readonly signal: AbortSignal; readonly log: Log },
): Promise<T> {
  let watching: Life | undefined;
  let change = Promise.withResolvers<void>();
  try {
    for (let problem = ''; ; ) {
      try {
        return await act();
      } catch (error) {
        if (!isAddressGone(error)) throw error;
        if (error.message !== problem) log.warn(error.message);
        problem = error.message;
      }
      if (watching === undefined) {
        watching = life.child();
        watchNetwork('address', { onChange: () => change.resolve(), life: watching, log });
      }
      await orAbort(change.promise, signal);
      change = Promise.withResolvers<void>();
    }
  } finally {
    await watching?.end();
  }
}

export type Sight = { readonly kind: 'here' } | { readonly kind: 'moved' | 'gone'; readonly what: string };

/** An interface of flannel that has no address at the moment is no change: there is nothing to change to. */
export function compare(started: Address, now: Address): Sight {
  const [was, is] = [started.nodeIps.join(', '), now.nodeIps.join(', ')];
  if (was !== is) return { kind: 'moved', what: `the address of this node has changed from ${was} to ${is}` };
  if (now.overlayIp === undefined || now.overlayIp === started.overlayIp) return { kind: 'here' };
  return { kind: 'moved', what: `the address that flannel uses has changed from ${started.overlayIp ?? 'none'} to ${now.overlayIp}` };
}

function ofError(error: unknown): Sight {
  return { kind: 'gone', what: isAddressGone(error) ? error.message : `cannot tell which address this host has: ${String(error)}` };
}

/** Tells how many milliseconds what is seen has to stay yet, by a clock that never jumps; 0 for what is as it was at the start. */
export function createSettling(within: number): (sight: Sight, now: number) => number {
  let last = '';
  let since = 0;
  return (sight, now) => {
    const seen = sight.kind === 'here' ? '' : sight.what;
    if (seen !== last) since = now;
    last = seen;
    return seen === '' ? 0 : Math.max(0, since + within - now);
  };
}

function isAddressGone(error: unknown): error is RfoError {
  return error instanceof RfoError && (error.code === 'node-ip-gone' || error.code === 'node-address-gone');
}
