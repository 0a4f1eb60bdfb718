/** What a watch has told its listener, so that after it was away it can tell the difference. */

import type { StoreEntry, StoreEvent } from "../state-store.ts";

export class WatchView {
  readonly #revisions = new Map<string, number>();
  #store: string | undefined;
  #revision = 0;

  /**
   * All that there is now, at one revision of the store of this identity.
   * @returns the difference: puts by revision, then deletions
   */
  replace(entries: readonly StoreEntry[], revision: number, store: string | undefined): StoreEvent[] {
    // Another store of the same name, or an older copy of the same one.
    const lost = (this.#store !== undefined && store !== this.#store) || revision < this.#revision;
    const puts = entries
      .filter(({ key, revision: at }) => lost || at > (this.#revisions.get(key) ?? 0))
      .sort((a, b) => a.revision - b.revision);
    const present = new Set(entries.map(({ key }) => key));
    const gone = Array.from(this.#revisions.keys()).filter((key) => !present.has(key));
    for (const key of gone) this.#revisions.delete(key);
    for (const { key, revision: at } of entries) this.#revisions.set(key, at);
    this.#store = store;
    this.#revision = revision;
    const deletions = gone.map((deleted): StoreEvent => (lost ? { deleted, revision, lost } : { deleted, revision }));
    return [...puts.map((put): StoreEvent => ({ put })), ...deletions];
  }

  /** A change that the store tells of; undefined if it is known. */
  apply(event: StoreEvent): StoreEvent | undefined {
    const [key, revision] = "put" in event ? [event.put.key, event.put.revision] : [event.deleted, event.revision];
    if (revision <= (this.#revisions.get(key) ?? 0)) return undefined;
    if ("put" in event) this.#revisions.set(key, revision);
    else if (!this.#revisions.delete(key)) return undefined;
    this.#revision = Math.max(this.#revision, revision);
    return event;
  }
}
