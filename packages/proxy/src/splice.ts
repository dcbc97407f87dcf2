/** Joins two connections: TCP, Unix sockets, or streams within another connection. */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Lets bytes through in both directions, no faster than they are read. The end of one side's output is passed on, and the other direction
 * goes on; where one side breaks the other is broken too. Sockets need `allowHalfOpen`. No error of theirs is left unhandled.
 */
export function splice(one: Duplex, other: Duplex): void {
  couple(one, other);
  couple(other, one);
}

/** Ends a connection so that the other end cannot take it for finished, as far as its kind can say so: a Unix socket knows no reset. */
export function breakOff(stream: Duplex): void {
  if (stream.destroyed) return;
  // A pipe has no address; nor has a connection that the other end has reset already. Of TLS the missing farewell tells.
  if (stream instanceof Socket && !(stream instanceof TLSSocket) && stream.remoteAddress !== undefined) stream.resetAndDestroy();
  else stream.destroy();
}

function couple(from: Duplex, to: Duplex): void {
  from.pipe(to);
  // Every failure ends in `close`.
  from.on('error', () => undefined);
  from.once('close', () => {
    if (from.readableEnded && from.writableFinished) return;
    // Said everything and then heard nothing more: what it said is still on its way.
    if (from.readableEnded && from.errored !== null) destroyOnceSent(to);
    else breakOff(to);
  });
}

/** The end of its output was passed on already. */
function destroyOnceSent(stream: Duplex): void {
  if (stream.writableFinished) stream.destroy();
  else stream.once('finish', () => stream.destroy());
}
