/** What the scaler has learned, by region, in the store under `scaling/regions/`: for whoever leads next. */
import type { StateStore } from "../store/state-store.ts";

export interface ScalingMemoryOptions {
  readonly store: Pick<StateStore, "list" | "put" | "delete">;
  readonly log: (line: string) => void;
}

const PREFIX = "scaling/regions/";
const SAVE_EVERY_MS = 1_200_000;
/** Which nodes were drained, and may be resumed, is soon told. */
const SAVE_DRAINS_AFTER_MS = 10_000;
const SAVE_AGAIN_AFTER_MS = 60_000;

export class ScalingMemory {
  readonly #options: ScalingMemoryOptions;
  /** As the store has them, by region. */
  #saved: Map<string, string> = new Map();
  #savedAt = -Infinity;
  #dueAt = Infinity;
  #isSaving = false;

  constructor(options: ScalingMemoryOptions) {
    this.#options = options;
  }

  /** Of a leader before; nothing where the store is away. */
  async load(now: number): Promise<ReadonlyMap<string, string>> {
    const { store, log } = this.#options;
    this.#saved = new Map();
    this.#savedAt = now;
    this.#dueAt = now + SAVE_EVERY_MS;
    try {
      for (const { key, value } of await store.list(PREFIX))
        this.#saved.set(decodeURIComponent(key.slice(PREFIX.length)), value);
    } catch (error) {
      log(`scaling: what was learned of demand cannot be read, it is learned anew: ${String(error)}`);
    }
    return new Map(this.#saved);
  }

  drainsHaveChanged(): void {
    this.#dueAt = Math.min(this.#dueAt, this.#savedAt + SAVE_DRAINS_AFTER_MS);
  }

  /** Call it often: writes when it is time. */
  save(texts: () => ReadonlyMap<string, string>, now: number): void {
    if (now < this.#dueAt || this.#isSaving) return;
    this.#savedAt = now;
    this.#dueAt = now + SAVE_EVERY_MS;
    this.#isSaving = true;
    this.#write(texts())
      .catch((error: unknown) => {
        this.#dueAt = now + SAVE_AGAIN_AFTER_MS;
        this.#options.log(`scaling: what was learned of demand cannot be saved now: ${String(error)}`);
      })
      .finally(() => {
        this.#isSaving = false;
      });
  }

  async saveNow(texts: ReadonlyMap<string, string>): Promise<void> {
    await this.#write(texts).catch(() => undefined);
  }

  /** Regions that are scaled no more are removed. */
  async #write(texts: ReadonlyMap<string, string>): Promise<void> {
    const { store } = this.#options;
    for (const [region, text] of texts) {
      if (this.#saved.get(region) === text) continue;
      await store.put(`${PREFIX}${encodeURIComponent(region)}`, text);
      this.#saved.set(region, text);
    }
    for (const region of this.#saved.keys()) {
      if (texts.has(region)) continue;
      await store.delete(`${PREFIX}${encodeURIComponent(region)}`);
      this.#saved.delete(region);
    }
  }
}
