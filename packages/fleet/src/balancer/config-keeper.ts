/** Keeps the configuration of a balancer the same as all others have: in the store, by `config/versions/<n>`. */
import { ConfigBook } from "../config/config-book.ts";
import type { ConfigAuthor, ConfigChange } from "../config/config-book.ts";
import type { StateStore } from "../store/state-store.ts";

export interface ConfigKeeperOptions {
  readonly store: Pick<StateStore, "put" | "delete" | "watch" | "status" | "onStatus">;
  readonly book: ConfigBook;
  /** Another version is in force. */
  readonly onChange: () => void;
  readonly log: (line: string) => void;
}

/** Somebody else changed it at the same moment. */
export class ConfigConflictError extends Error {
  override readonly name: string = "ConfigConflictError";
}

export class ConfigKeeper {
  readonly #options: ConfigKeeperOptions;
  readonly #stopWatching: () => void;
  /** Keys that the store has lost and not got back yet. */
  readonly #lost: Set<string> = new Set();

  constructor(options: ConfigKeeperOptions) {
    const { store, book, onChange, log } = options;
    this.#options = options;
    this.#stopWatching = store.watch(PREFIX, (event) => {
      if ("deleted" in event) {
        // Nobody deleted it. Balancers that start later must find it, and its number must not be taken again.
        if (event.lost === true) this.#restore(event.deleted);
        return;
      }
      try {
        const { isNew, unknown, dropped } = book.accept(event.put.value);
        if (unknown.length > 0) log(`settings of a newer balancer are left out: ${unknown.join(", ")}`);
        for (const version of dropped) store.delete(`${PREFIX}${version}`).catch(() => false);
        if (isNew) onChange();
      } catch (error) {
        log(`the store's ${event.put.key} is not taken: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    store.onStatus((status) => {
      if (status === "connected") for (const key of this.#lost) this.#restore(key);
    });
  }

  /** Throws `ConfigError` for what is no configuration, `ConfigConflictError` when somebody else was first. Rejects with a `StoreError` when the store is away. */
  async change(patch: unknown, author: ConfigAuthor): Promise<ConfigChange> {
    return this.#save(this.#options.book.prepare(patch, author));
  }

  /** Undefined: there is no such version. */
  async rollBack(version: number, author: ConfigAuthor): Promise<ConfigChange | undefined> {
    const change = this.#options.book.prepareRollBack(version, author);
    return change === undefined ? undefined : this.#save(change);
  }

  close(): void {
    this.#stopWatching();
  }

  #restore(key: string): void {
    const { store, book, log } = this.#options;
    const version = book.versions().find((kept) => `${PREFIX}${kept.version}` === key);
    this.#lost.delete(key);
    if (version === undefined) return;
    store.put(key, ConfigBook.toText(version), { ifRevision: 0 }).catch((error: unknown) => {
      this.#lost.add(key);
      log(
        `the store has lost ${key}: ${error instanceof Error ? error.message : String(error)}; it is put again later`,
      );
    });
  }

  async #save(change: ConfigChange): Promise<ConfigChange> {
    const { store, book, onChange } = this.#options;
    const { version } = change;
    if (change.diff.length === 0) return change;
    // The number is taken by whoever writes it first.
    const entry = await store.put(`${PREFIX}${version.version}`, ConfigBook.toText(version), { ifRevision: 0 });
    if (entry === undefined)
      throw new ConfigConflictError(
        `version ${version.version} was made by somebody else just now: look at it, and try again`,
      );
    if (book.accept(ConfigBook.toText(version)).isNew) onChange();
    return change;
  }
}

const PREFIX = "config/versions/";
