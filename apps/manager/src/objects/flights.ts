// Asks one question once, however many want to know at the same time.
import { orAbort } from '@rfo/foundation';

/** @param ask is called only where nobody asks for the same key yet; whoever gives up by his signal leaves it to the others */
export type Flights<T> = (key: string, signal: AbortSignal | undefined, ask: () => Promise<T>) => Promise<T>;

export function createFlights<T>(): Flights<T> {
  const running = new Map<string, Promise<T>>();
  return (key, signal, ask) => {
    let answer = running.get(key);
    if (answer === undefined) {
      answer = ask().finally(() => running.delete(key));
      running.set(key, answer);
    }
    return signal === undefined ? answer : orAbort(answer, signal);
  };
}
