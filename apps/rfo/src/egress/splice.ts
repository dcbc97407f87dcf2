import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Lets bytes through between two connections until both are over, no faster than the slower reads. Each end of input is passed on as such, each
 * break as a break.
 */
export function splice(near: Duplex, far: Duplex): void {
  couple(near, far);
  couple(far, near);
}

function couple(from: Duplex, to: Duplex): void {
  from.pipe(to);
  from.on('error', () => breakOff(to));
  from.once('close', () => {
    if (!from.readableEnded || !from.writableFinished) breakOff(to);
  });
}

/** A reader must not take half of something for all of it. */
function breakOff(stream: Duplex): void {
  // A Unix socket knows no reset.
  if (stream instanceof Socket && stream.remoteAddress !== undefined) stream.resetAndDestroy();
  else stream.destroy();
}
