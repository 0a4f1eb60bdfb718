import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigBook } from "../config/config-book.ts";
import type { StoreEntry, StoreEvent, StoreStatus } from "../store/state-store.ts";
import { ConfigKeeper } from "./config-keeper.ts";

/** A store that can be emptied, and be away. */
class LosingStore {
  status: StoreStatus = "connected";
  readonly entries: Map<string, StoreEntry> = new Map();
  readonly #listeners: ((event: StoreEvent) => void)[] = [];
  readonly #statusListeners: ((status: StoreStatus) => void)[] = [];
  #revision = 1;

  async put(key: string, value: string, { ifRevision }: { ifRevision?: number } = {}): Promise<StoreEntry | undefined> {
    if (this.status === "away") throw new Error("away");
    if (ifRevision !== undefined && ifRevision !== (this.entries.get(key)?.revision ?? 0)) return undefined;
    const put = { key, value, revision: this.#revision++ };
    this.entries.set(key, put);
    for (const listener of this.#listeners) listener({ put });
    return put;
  }

  async delete(): Promise<boolean> {
    return false;
  }

  watch(_prefix: string, listener: (event: StoreEvent) => void): () => void {
    this.#listeners.push(listener);
    for (const put of this.entries.values()) listener({ put });
    return () => undefined;
  }

  onStatus(listener: (status: StoreStatus) => void): void {
    this.#statusListeners.push(listener);
  }

  setStatus(status: StoreStatus): void {
    this.status = status;
    for (const listener of this.#statusListeners) listener(status);
  }

  lose(): void {
    const keys = [...this.entries.keys()];
    this.entries.clear();
    for (const deleted of keys)
      for (const listener of this.#listeners) listener({ deleted, revision: this.#revision++, lost: true });
  }
}

function keeperOf(store: LosingStore): { keeper: ConfigKeeper; book: ConfigBook } {
  const book = new ConfigBook();
  return { book, keeper: new ConfigKeeper({ store, book, onChange: () => undefined, log: () => undefined }) };
}

const author = { changedBy: "ann", changedAt: "2026-01-01T00:00:00.000Z" };
const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve));

describe("ConfigKeeper", () => {
  it("puts what is in force again into a store that was emptied, for balancers that start later", async () => {
    const store = new LosingStore();
    const old = keeperOf(store);
    for (const maxWaiting of [1, 2, 3]) await old.keeper.change({ queue: { maxWaiting } }, author);
    store.lose();
    await settled();
    const late = keeperOf(store);
    assert.equal(late.book.config.queue.maxWaiting, 3);
    const { version } = await late.keeper.change({ queue: { maxWaiting: 4 } }, author);
    assert.equal(version.version, 4);
    assert.equal(old.book.config.queue.maxWaiting, 4, "of a lower number it would not have been taken");
  });

  it("puts it again when the store can be written", async () => {
    const store = new LosingStore();
    const { keeper } = keeperOf(store);
    await keeper.change({ queue: { maxWaiting: 1 } }, author);
    store.status = "away";
    store.lose();
    await settled();
    assert.equal(store.entries.size, 0);
    store.setStatus("connected");
    await settled();
    assert.equal(store.entries.size, 1);
  });
});
