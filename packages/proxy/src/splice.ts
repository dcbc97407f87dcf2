/** Joins two TCP connections. */
import type { Socket } from 'node:net';

/**
 * Lets bytes through in both directions, no faster than they are read. The end of one side's output is passed on, and the other direction
 * goes on; where one side breaks the other is broken too. Both need `allowHalfOpen`. No error of theirs is left unhandled.
 */
export function splice(one: Socket, other: Socket): void {
  couple(one, other);
  couple(other, one);
}

/** Ends a connection so that the other end cannot take it for finished. */
export function breakOff(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}

function couple(from: Socket, to: Socket): void {
  from.pipe(to);
  // Every failure ends in `close`.
  from.on('error', () => undefined);
  from.once('close', () => {
    if (from.readableEnded && from.writableFinished) return;
    // Said everything and then heard nothing more: what it said is still on its way.
    if (from.readableEnded && from.errored !== null) to.destroySoon();
    else breakOff(to);
  });
}
