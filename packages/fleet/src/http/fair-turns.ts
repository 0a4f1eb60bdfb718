/**
 * Does a few things in each turn of the event loop, and puts the rest off to later turns, in which those of different keys
 * alternate: who brings a hundred at once waits for them, and nobody else does.
 */

export interface FairTurnsOptions {
  /** Things that are done in a turn. */
  readonly perTurn: number;
  /** Default `setImmediate`. */
  readonly nextTurn?: (turn: () => void) => void;
}

export class FairTurns {
  readonly #perTurn: number;
  readonly #nextTurn: (turn: () => void) => void;
  readonly #waiting: Map<string, (() => void)[]> = new Map();
  #doneInTurn = 0;
  #isScheduled = false;

  constructor({ perTurn, nextTurn = setImmediate }: FairTurnsOptions) {
    this.#perTurn = perTurn;
    this.#nextTurn = nextTurn;
  }

  /** Keys that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Does `thing` now, when nothing of its key waits and the turn is not full; else later. */
  submit(key: string, thing: () => void): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      this.#nextTurn(() => this.#turn());
    }
    const own = this.#waiting.get(key);
    if (own !== undefined) own.push(thing);
    else if (this.#doneInTurn >= this.#perTurn) this.#waiting.set(key, [thing]);
    else {
      this.#doneInTurn++;
      thing();
    }
  }

  #turn(): void {
    this.#doneInTurn = 0;
    this.#isScheduled = this.#waiting.size > 0;
    if (this.#isScheduled) this.#nextTurn(() => this.#turn());
    // A key that is set again is behind the others, and comes again in the same loop.
    for (const [key, things] of this.#waiting) {
      if (this.#doneInTurn >= this.#perTurn) return;
      this.#doneInTurn++;
      const thing = things.shift()!;
      this.#waiting.delete(key);
      if (things.length > 0) this.#waiting.set(key, things);
      thing();
    }
  }
}
