/** A typed emitter: named events, one value each. A listener that throws is reported and never hurts the caller or the others. */

/** Removes the listener it was returned for. Calling it twice is harmless. */
export type Unsubscribe = () => void;

export class Emitter<Events extends object> {
  readonly #listeners: Map<keyof Events, readonly ((value: never) => unknown)[]> = new Map();
  readonly #onListenerError: (error: unknown, event: string) => void;

  constructor(onListenerError: (error: unknown, event: string) => void) {
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

  count(event: keyof Events): number {
    return this.#listeners.get(event)?.length ?? 0;
  }

  emit<Name extends keyof Events>(event: Name, value: Events[Name]): void {
    const listeners = this.#listeners.get(event) as readonly ((value: Events[Name]) => unknown)[] | undefined;
    if (listeners === undefined) return;
    for (const listener of listeners) {
      try {
        const result = listener(value);
        if (result instanceof Promise) result.catch((error: unknown) => this.#onListenerError(error, String(event)));
      } catch (error) {
        this.#onListenerError(error, String(event));
      }
    }
  }
}
