/** What one step of an entity brought about by itself. */

/** Valid until the next one. */
export interface AbilityStep<A extends string = string, E extends string = string> {
  /** The ability whose cast is through. */
  readonly completed: A | undefined;
  /** Stacks of an effect that has a periodic tick now; else 0. */
  ticks(effect: E): number;
  /** Whether its time is up. */
  ended(effect: E): boolean;
}

export class StepRecord<A extends string, E extends string> implements AbilityStep<A, E> {
  completed: A | undefined;
  /** By place of the effect in the kit. */
  readonly stacks: Uint8Array;
  readonly over: Uint8Array;
  readonly #places: ReadonlyMap<string, number>;

  /** `places`: those of the effects in the kit. */
  constructor(places: ReadonlyMap<string, number>) {
    this.#places = places;
    this.stacks = new Uint8Array(places.size);
    this.over = new Uint8Array(places.size);
  }

  ticks(effect: E): number {
    return this.stacks[this.#places.get(effect) ?? -1] ?? 0;
  }

  ended(effect: E): boolean {
    return this.over[this.#places.get(effect) ?? -1] === 1;
  }

  clear(): void {
    this.completed = undefined;
    this.stacks.fill(0);
    this.over.fill(0);
  }
}
