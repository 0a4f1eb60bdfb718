/**
 * A typed emitter: named events, one value each. A listener that throws (or returns a promise that
 * rejects) is reported to `onListenerError` and never hurts the caller or the other listeners.
 * Listeners are called in the order they were added; adding or removing one while an event is being
 * delivered takes effect with the next event.
 */

/** Removes the listener it was returned for. Calling it twice is harmless. */
export type Unsubscribe = () => void;

/** Told about every error a listener throws, with the name of the event it listened to. */
export type ListenerErrorHandler = (error: unknown, event: string) => void;

export class Emitter<Events extends object> {
  readonly #listeners: Map<keyof Events, readonly ((value: never) => unknown)[]> = new Map();
  readonly #onListenerError: ListenerErrorHandler;

  constructor(onListenerError: ListenerErrorHandler) {
    this.#onListenerError = onListenerError;
  }

  on<Name extends keyof Events>(event: Name, listener: (value: Events[Name]) => unknown): Unsubscribe {
    if (typeof listener !== "function") throw new TypeError(`listener of "${String(event)}" is not a function`);
    // A wrapper of its own, so that the same function added twice is removed one at a time.
    const entry = (value: Events[Name]): unknown => listener(value);
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), entry]);
    return () => {
      const left = (this.#listeners.get(event) ?? []).filter((other) => other !== entry);
      if (left.length === 0) this.#listeners.delete(event);
      else this.#listeners.set(event, left);
    };
  }

  /** How many listeners an event has. */
  count(event: keyof Events): number {
    return this.#listeners.get(event)?.length ?? 0;
  }

  emit<Name extends keyof Events>(event: Name, value: Events[Name]): void {
    const listeners = this.#listeners.get(event) as readonly ((value: Events[Name]) => unknown)[] | undefined;
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        const result = listener(value);
        if (result instanceof Promise) result.catch((error: unknown) => this.#report(error, event));
      } catch (error) {
        this.#report(error, event);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }

  #report(error: unknown, event: keyof Events): void {
    try {
      this.#onListenerError(error, String(event));
    } catch {
      // The reporter itself failed: there is nobody left to tell.
    }
  }
}
