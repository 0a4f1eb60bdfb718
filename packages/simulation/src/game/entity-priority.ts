/** Which entities matter most to whom: the question that `interest.priority` answers when a snapshot is short of room. */
import type { AnyTable, Fields, PriorityRule } from "../state/index.ts";
import type { InterestEye } from "./interest-eye.ts";
import { SightQuestion } from "./sight.ts";
import type { StateSight } from "./sight.ts";
import type { AnyWorldTable, FieldsOf, States, World } from "./world.ts";

/** By name of a state, how much an entity of it matters to a player. */
export type EntityPriorities<S extends States = States> = {
  readonly [K in keyof S]?: PriorityMethod<S, FieldsOf<S[K]>>["priority"];
};

/** A method, so that a game with any states is an `AnyGame`. */
interface PriorityMethod<S extends States, F extends Fields> {
  priority(this: void, world: World<S>, sight: StateSight<F>): number;
}

/** Asks the game for one client. */
export class ClientPriority implements PriorityRule {
  readonly #priorities: EntityPriorities;
  readonly #world: World<States>;
  readonly #eye: InterestEye;
  readonly #names: ReadonlyMap<AnyTable, string>;
  readonly #question: SightQuestion;

  constructor(
    priorities: EntityPriorities,
    world: World<States>,
    names: ReadonlyMap<AnyTable, string>,
    eye: InterestEye,
  ) {
    this.#priorities = priorities;
    this.#world = world;
    this.#names = names;
    this.#eye = eye;
    this.#question = new SightQuestion(names, eye);
  }

  factor(table: AnyWorldTable, index: number): number {
    const state = this.#names.get(table) ?? "";
    const priority = this.#priorities[state];
    // Seen from nowhere everything is equally near.
    if (priority === undefined || !this.#eye.isSomewhere) return 1;
    const factor = priority(this.#world, this.#question.about(table, index));
    if (factor >= 0 && factor < Infinity) return factor;
    throw new RangeError(`interest.priority.${state} must give a finite number from 0, got ${factor}`);
  }
}
