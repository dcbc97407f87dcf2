/**
 * A life is one AbortSignal and what must be undone when it ends. Lives form a tree: ending one ends its children first.
 * Every timer, socket, watcher and process hangs on a life, so that nothing outlives what it belongs to.
 */
export class Life implements AsyncDisposable {
  readonly #controller = new AbortController();
  readonly #undo: (() => unknown)[] = [];
  #ended: Promise<void> | undefined;
  #over = false;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** A life that ends with this one, before anything deferred earlier on this one is undone. */
  child(): Life {
    const child = new Life();
    const end = (): Promise<void> => child.end(this.signal.reason);
    this.#undo.push(end);
    child.#undo.push(() => this.#forget(end));
    if (this.signal.aborted) void child.end(this.signal.reason);
    return child;
  }

  /** Runs `undo` when the life ends, the last deferred first; at once when it has ended already, as nobody else would. */
  defer(undo: () => unknown): void {
    if (this.#over) void undo();
    else this.#undo.push(undo);
  }

  /** Aborts the signal, then undoes everything in reverse. Ends once; later calls wait for the first. Errors of undo steps are gathered and thrown together. */
  end(reason: unknown = new Error('ended')): Promise<void> {
    this.#ended ??= this.#end(reason);
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #end(reason: unknown): Promise<void> {
    this.#controller.abort(reason);
    const errors: unknown[] = [];
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    this.#over = true;
    if (errors.length > 0) throw new AggregateError(errors, 'some clean-up failed');
  }

  #forget(undo: () => unknown): void {
    const at = this.#undo.indexOf(undo);
    if (at >= 0) this.#undo.splice(at, 1);
  }
}
