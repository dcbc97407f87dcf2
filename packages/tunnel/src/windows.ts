/**
 * How many bytes may be on their way to this end. All that is on its way to a reader who is stuck waits in memory, and what waits of one stream
 * delays the small requests of others; but over a distance a stream carries no more than its window in each round trip. So it follows
 * the distance.
 */
import type { Http2Session } from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { Carrier } from './carrier.ts';

/** Bytes of one stream on the same network, and at most. In a WebSocket bytes are slower, so fewer of them take as long. */
const near = { straight: 128 * 1024, websocket: 64 * 1024 } as const;
const farWindow = 4 * 1024 * 1024;

/** 1 Gbit/s on one stream, in bytes each millisecond. */
const wanted = 125_000;

/** All streams together. Node gives bytes back to this one as they arrive: stuck readers do not use it up. */
const sessionWindows = 4;

/** The first answers tell how long two programs take to warm up, not how far they are from each other. */
const questions = 10;
/** Milliseconds between an answer and the next question. */
const pause = 50;

/** Starts with the window of the same network, and widens it when it is known how far the other end is. */
export function fitWindows(session: Http2Session, carrier: Carrier): void {
  const nearest = nearWindow(carrier);
  session.setLocalWindowSize(nearest * sessionWindows);
  void measureRoundTrip(session, nearest).then((roundTrip) => {
    if (roundTrip === undefined || session.destroyed) return;
    const window = windowFor(roundTrip, nearest);
    if (window === nearest) return;
    session.settings({ initialWindowSize: window });
    session.setLocalWindowSize(window * sessionWindows);
  });
}

/** Bytes that one stream may have on its way before the distance is known. */
export function nearWindow(carrier: Carrier): number {
  return carrier instanceof TLSSocket ? near.straight : near.websocket;
}

/** Milliseconds, the least of some pings: the others waited for something else as well. Undefined where the session ends before. */
export function measureRoundTrip(session: Http2Session, nearest: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    let least = Number.POSITIVE_INFINITY;
    let timer: NodeJS.Timeout | undefined;
    const ask = (left: number): void => {
      if (session.destroyed || session.closed) {
        resolve(undefined);
        return;
      }
      session.ping((error, duration) => {
        least = Math.min(least, duration);
        // Nearer than that makes no difference.
        if (error !== null) resolve(undefined);
        else if (left === 1 || windowFor(least, nearest) === nearest) resolve(least);
        else timer = setTimeout(ask, pause, left - 1);
      });
    };
    session.once('close', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    ask(questions);
  });
}

/** @param roundTrip ms @param nearest bytes at least */
export function windowFor(roundTrip: number, nearest: number): number {
  return Math.min(farWindow, Math.max(nearest, Math.ceil(roundTrip * wanted)));
}
