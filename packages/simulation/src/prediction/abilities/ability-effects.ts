/**
 * The effects on the rows of one table: put on by their stacking rule, ticking, and ending. All state is in the entity's
 * fields. `place`: that of the effect in the kit; `index`: that of the row.
 */
import type { RowIdentity } from "../../state/index.ts";
import { clearRow, countColumn } from "./ability-columns.ts";
import type { AbilityTable } from "./ability-columns.ts";
import type { AbilityEmitter } from "./ability-events.ts";
import { fieldNames, later } from "./ability-fields.ts";
import type { EffectDefinition } from "./ability-kit.ts";
import type { StepRecord } from "./ability-step.ts";

export class AbilityEffects<E extends string = string> {
  /** By name. */
  readonly places: ReadonlyMap<string, number>;
  readonly #kit: readonly EffectDefinition[];
  readonly #emitter: AbilityEmitter;
  /** 0: it is not there. */
  readonly #endsAt: readonly Int32Array[];
  readonly #tickAt: readonly (Int32Array | undefined)[];
  readonly #stacks: readonly (Int32Array | undefined)[];

  constructor(kit: readonly EffectDefinition[], table: AbilityTable, emitter: AbilityEmitter) {
    this.#kit = kit;
    this.#emitter = emitter;
    this.places = new Map(kit.map(({ name }, place) => [name, place]));
    const count = (name: string): Int32Array => countColumn(table, name);
    this.#endsAt = kit.map((e) => count(fieldNames.endsAt(e.name)));
    this.#tickAt = kit.map((e) => (e.everyTicks > 0 ? count(fieldNames.tickAt(e.name)) : undefined));
    this.#stacks = kit.map((e) => (e.stacking === "stack" ? count(fieldNames.stacks(e.name)) : undefined));
  }

  /** Throws `RangeError` for an effect that does not exist. */
  placeOf(effect: string): number {
    const place = this.places.get(effect);
    if (place === undefined) throw new RangeError(`there is no effect "${effect}"`);
    return place;
  }

  /** Takes all off, without events. */
  reset(index: number): void {
    clearRow(this.#endsAt, index);
    clearRow(this.#tickAt, index);
    clearRow(this.#stacks, index);
  }

  /** One tick of an entity: effects tick and end. */
  step(row: RowIdentity, tick: number, step: StepRecord<string, E>): void {
    for (let i = 0; i < this.#kit.length; i++) if (this.#endsAt[i][row.index] > 0) this.#stepOne(row, i, tick, step);
  }

  isActive(index: number, place: number): boolean {
    return this.#endsAt[place][index] > 0;
  }

  /** Puts one on an entity, by its stacking rule. */
  apply(row: RowIdentity, place: number, tick: number): void {
    const { index } = row;
    const { name, durationTicks, everyTicks, stacking, maxStacks } = this.#kit[place];
    const endsAt = this.#endsAt[place];
    const stacks = this.#stacks[place];
    if (endsAt[index] === 0) {
      endsAt[index] = later(tick, durationTicks);
      const tickAt = this.#tickAt[place];
      if (tickAt !== undefined) tickAt[index] = later(tick, everyTicks);
      if (stacks !== undefined) stacks[index] = 1;
    } else if (stacking === "keep") {
      return;
    } else if (stacking === "extend") {
      endsAt[index] = Math.min(later(endsAt[index], durationTicks), later(tick, durationTicks * maxStacks));
    } else {
      endsAt[index] = later(tick, durationTicks);
      if (stacks !== undefined && stacks[index] < maxStacks) stacks[index]++;
    }
    this.#emitter.emit("effectApplied", name, row, tick, this.stacksAt(index, place));
  }

  /** Takes one off, with all its stacks. */
  end(row: RowIdentity, place: number, tick: number): void {
    const { index } = row;
    const stacks = this.stacksAt(index, place);
    this.#endsAt[place][index] = 0;
    const tickAt = this.#tickAt[place];
    if (tickAt !== undefined) tickAt[index] = 0;
    const column = this.#stacks[place];
    if (column !== undefined) column[index] = 0;
    this.#emitter.emit("effectEnded", this.#kit[place].name, row, tick, stacks);
  }

  /** 0 when it is not there, 1, or its stacks. */
  stacksAt(index: number, place: number): number {
    if (this.#endsAt[place][index] === 0) return 0;
    return this.#stacks[place]?.[index] ?? 1;
  }

  isSilenced(index: number): boolean {
    const effects = this.#kit;
    for (let i = 0; i < effects.length; i++) if (effects[i].silences && this.#endsAt[i][index] > 0) return true;
    return false;
  }

  #stepOne(row: RowIdentity, place: number, tick: number, step: StepRecord<string, E>): void {
    const { index } = row;
    const { name, everyTicks } = this.#kit[place];
    const endsAt = this.#endsAt[place][index];
    const tickAt = this.#tickAt[place];
    if (tickAt !== undefined && tick >= tickAt[index] && tickAt[index] <= endsAt) {
      tickAt[index] = later(tickAt[index], everyTicks);
      const stacks = this.stacksAt(index, place);
      step.stacks[place] = stacks;
      this.#emitter.emit("effectTicked", name, row, tick, stacks);
    }
    if (tick < endsAt) return;
    step.over[place] = 1;
    this.end(row, place, tick);
  }
}
