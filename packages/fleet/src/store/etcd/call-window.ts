/** Lets so many calls be under way at once; the others wait in their order. */

import { StoreError } from "../state-store.ts";

export class CallWindow {
  readonly #size: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(size: number, maxWaiting: number) {
    this.#size = size;
    this.#maxWaiting = maxWaiting;
  }

  /** @throws StoreError `refused` when too many wait already */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#underWay >= this.#size) {
      if (this.#waiting.length >= this.#maxWaiting)
        throw new StoreError("refused", `${this.#maxWaiting} calls are already waiting`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#underWay++;
    try {
      return await call();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }
}
