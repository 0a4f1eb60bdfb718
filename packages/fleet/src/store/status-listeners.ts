/** A store's status, and who hears when it changes. */

import { callListener } from "./call-listener.ts";
import type { StoreStatus } from "./state-store.ts";

export class StatusListeners {
  readonly #listeners = new Set<(status: StoreStatus) => void>();
  #status: StoreStatus;

  constructor(status: StoreStatus) {
    this.#status = status;
  }

  get status(): StoreStatus {
    return this.#status;
  }

  add(listener: (status: StoreStatus) => void): void {
    this.#listeners.add(listener);
  }

  set(status: StoreStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of this.#listeners) callListener(listener, status);
  }
}
