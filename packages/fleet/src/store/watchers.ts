/** Who watches which prefix of a store that holds all entries itself. */

import { callListener } from "./call-listener.ts";
import type { StoreEntry, StoreEvent } from "./state-store.ts";

interface Watcher {
  readonly prefix: string;
  readonly listener: (event: StoreEvent) => void;
  /** Has heard of what there was. */
  live: boolean;
  stopped: boolean;
}

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #entriesOf: (prefix: string) => readonly StoreEntry[];

  constructor(entriesOf: (prefix: string) => readonly StoreEntry[]) {
    this.#entriesOf = entriesOf;
  }

  add(prefix: string, listener: (event: StoreEvent) => void): () => void {
    const watcher: Watcher = { prefix, listener, live: false, stopped: false };
    this.#watchers.add(watcher);
    queueMicrotask(() => {
      if (watcher.stopped) return;
      const entries = [...this.#entriesOf(prefix)].sort((a, b) => a.revision - b.revision);
      watcher.live = true;
      for (const put of entries) deliver(watcher, { put });
    });
    return () => {
      watcher.stopped = true;
      this.#watchers.delete(watcher);
    };
  }

  tell(event: StoreEvent): void {
    const key = "put" in event ? event.put.key : event.deleted;
    for (const watcher of this.#watchers) if (watcher.live && key.startsWith(watcher.prefix)) deliver(watcher, event);
  }

  clear(): void {
    for (const watcher of this.#watchers) watcher.stopped = true;
    this.#watchers.clear();
  }
}

function deliver(watcher: Watcher, event: StoreEvent): void {
  if (!watcher.stopped) callListener(watcher.listener, event);
}
