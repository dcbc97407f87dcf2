/**
 * How many bytes may be on their way to this end. All that is on its way to a reader who is stuck waits in memory, and what waits of one stream
 * delays the small requests of others; but over a distance a stream carries no more than its window in each round trip. So it follows
 * the distance.
 */
import type { Http2Session } from 'node:http2';

/** Bytes of one stream on the same network, and at most. */
export const nearWindow = 256 * 1024;
const farWindow = 4 * 1024 * 1024;

/** 1 Gbit/s on one stream, in bytes each millisecond. */
const wanted = 125_000;

/** All streams together. Node gives bytes back to this one as they arrive: stuck readers do not use it up. */
const sessionWindows = 4;

const questions = 3;

/** Starts with the window of the same network, and widens it after a few pings. */
export function fitWindows(session: Http2Session): void {
  session.setLocalWindowSize(nearWindow * sessionWindows);
  let roundTrip = Number.POSITIVE_INFINITY;
  const ask = (left: number): void => {
    if (session.destroyed) return;
    session.ping((error, duration) => {
      if (error !== null || session.destroyed) return;
      // The shortest: the others waited for something else as well.
      roundTrip = Math.min(roundTrip, duration);
      if (left > 1) return ask(left - 1);
      const window = windowFor(roundTrip);
      if (window === nearWindow) return;
      session.settings({ initialWindowSize: window });
      session.setLocalWindowSize(window * sessionWindows);
    });
  };
  ask(questions);
}

/** @param roundTrip ms */
export function windowFor(roundTrip: number): number {
  return Math.min(farWindow, Math.max(nearWindow, Math.ceil(roundTrip * wanted)));
}
