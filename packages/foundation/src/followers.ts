/**
 * Controllers that follow a signal, in the place of `AbortSignal.any`: requests come by here, and its weak references cost the collector more than
 * a request itself. However many follow, one listener stands on the signal; one for each would be searched for among all others.
 */
type Followers = {
  /** Another controller, which aborts when the signal does, for the same reason: at once where it has. */
  readonly add: () => AbortController;
  /** It follows no more, and is not held any longer. */
  readonly release: (controller: AbortController) => void;
  /** None of them follows any more, and nothing of them stays with the signal. */
  readonly end: () => void;
};

/** Followers of the signal; what is not released is held until it aborts or they end. */
export function followersOf(signal: AbortSignal): Followers {
  const all = new Set<AbortController>();
  const onAbort = (): void => {
    for (const controller of all) controller.abort(signal.reason);
    all.clear();
  };
  if (!signal.aborted) signal.addEventListener('abort', onAbort, { once: true });
  return {
    add: () => {
      const controller = new AbortController();
      if (signal.aborted) controller.abort(signal.reason);
      else all.add(controller);
      return controller;
    },
    release: (controller) => {
      all.delete(controller);
    },
    end: () => {
      signal.removeEventListener('abort', onAbort);
      all.clear();
    },
  };
}
