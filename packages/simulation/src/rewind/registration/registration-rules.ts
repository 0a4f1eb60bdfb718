/** What a game tells its `HitRegistration`: of its world, and of those who may be hit. */
import type { TickRandom } from "../../game/random.ts";
import type { AnyWorldTable } from "../../game/world.ts";
import type { WorldTable } from "../../game/world-table.ts";
import type { Fields, Row, RowIdentity } from "../../state/index.ts";
import type { RegisteredHit } from "./hit-validation.ts";
import type { VictimRules } from "./victim-rules.ts";

/** What is needed of a world; a game's `World` is one. */
export interface RegistrationWorld {
  readonly tick: number;
  readonly isServer: boolean;
  readonly dt: number;
  randomOf(row: RowIdentity, tick?: number): TickRandom;
}

/** What the game knows of those who may be hit. Give the same object every time. */
export interface RegistrationRules<F extends Fields = Fields> {
  /** Who may be met at all: shots go through the others (the dead). Default everybody. */
  accept?(this: void, entity: Row<F>): boolean;
  /** Those with the same team are friends, also of a shooter whose state has the rule, too. `undefined`: of nobody. */
  teamOf?(this: void, entity: Row<F>): number | string | undefined;
  /** Server: who is protected just now. */
  readonly victims?: VictimRules<F>;
}

/** For shots at several states: the rules of each, by its name; and `teamOf` of the shooters', if they are of another one. */
export type RulesByTable<T extends AnyWorldTable = AnyWorldTable> = {
  readonly [N in T["name"]]?: RegistrationRules<FieldsOfTable<Extract<T, { readonly name: N }>>>;
};

type FieldsOfTable<T> = T extends WorldTable<infer F> ? F : never;

/** A hit in one of these tables: `table` says in which. */
export type HitAmong<T extends AnyWorldTable> = T extends WorldTable<infer F, infer N> ? RegisteredHit<F, N> : never;
