/**
 * Who sees whom: the question that `interest.visible` answers on the server, and the ready-made answer for games in the
 * plane. What a player does not see is not in the bytes that it is sent, so that a changed client that
 * draws through walls has nothing to draw.
 */
import type { AnyTable, Fields, Row, RowIdentity, VisibilityTest } from "../state/index.ts";
import type { InterestOptions } from "./define-game.ts";
import type { InterestEye } from "./interest-eye.ts";
import type { AnyWorldTable, States, World } from "./world.ts";

/** One question. The object is reused: take out what you keep. */
export interface Sight {
  /** Where the player looks from: its eye's place, or where that was last. */
  readonly fromX: number;
  readonly fromY: number;
  /** The player's own entity there; undefined while it has none. */
  readonly eye: RowIdentity | undefined;
  /** The entity in question, its place, and its state's name. */
  readonly entity: RowIdentity;
  readonly toX: number;
  readonly toY: number;
  readonly state: string;
}

/** The same about a state whose fields are known. */
export interface StateSight<F extends Fields = Fields> extends Sight {
  readonly entity: Readonly<Row<F>>;
}

export interface LineOfSightOptions {
  /** Half the width of what is looked at, in world units: seen is who shows its middle or one of its sides. Default 0.5. */
  readonly halfWidth?: number;
}

/**
 * Sees what no static shape hides: rays from the eye to the middle and both sides of the entity. It is generous by
 * `halfWidth`, since both will have moved when the snapshot arrives.
 */
export function lineOfSight(
  options: LineOfSightOptions = {},
): (this: void, world: World<States>, sight: Sight) => boolean {
  const { halfWidth = 0.5 } = options;
  if (!(halfWidth >= 0)) throw new RangeError(`lineOfSight: halfWidth ${halfWidth} must be at least 0`);
  return ({ statics }, { fromX, fromY, toX, toY }) => {
    const dx = toX - fromX;
    const dy = toY - fromY;
    const distance = Math.sqrt(dx * dx + dy * dy);
    if (!(distance > halfWidth)) return distance >= 0;
    const sideX = (-dy / distance) * halfWidth;
    const sideY = (dx / distance) * halfWidth;
    for (let side = -1; side <= 1; side++) {
      const x = dx + sideX * side;
      const y = dy + sideY * side;
      const length = Math.sqrt(x * x + y * y);
      if (statics.raycastAlong(fromX, fromY, x / length, y / length, length) >= length) return true;
    }
    return false;
  };
}

/** Puts the questions of one client into one reused object. */
export class SightQuestion {
  readonly #eye: InterestEye;
  readonly #names: ReadonlyMap<AnyTable, string>;
  #sight: { -readonly [K in keyof StateSight]: StateSight[K] } | undefined;

  constructor(names: ReadonlyMap<AnyTable, string>, eye: InterestEye) {
    this.#names = names;
    this.#eye = eye;
  }

  /** About a row. What has no position counts as being at the eye. */
  about(table: AnyWorldTable, index: number): StateSight {
    const eye = this.#eye;
    const entity = table.rowAt(index);
    const sight = (this.#sight ??= { fromX: 0, fromY: 0, eye: undefined, entity, toX: 0, toY: 0, state: "" });
    sight.fromX = eye.x;
    sight.fromY = eye.y;
    sight.eye = eye.row;
    sight.entity = entity;
    sight.toX = table.positionX?.[index] ?? eye.x;
    sight.toY = table.positionY?.[index] ?? eye.y;
    sight.state = this.#names.get(table) ?? "";
    return sight;
  }
}

/** Asks the game for one client. */
export class ClientSight implements VisibilityTest {
  readonly lingerTicks: number;
  readonly maxTests: number;
  readonly #visible: (this: void, world: World<States>, sight: Sight) => boolean;
  readonly #world: World<States>;
  readonly #eye: InterestEye;
  readonly #question: SightQuestion;

  constructor(
    visible: (this: void, world: World<States>, sight: Sight) => boolean,
    options: InterestOptions & { readonly tickMs: number },
    world: World<States>,
    tables: ReadonlyMap<AnyTable, string>,
    eye: InterestEye,
  ) {
    this.#visible = visible;
    this.#world = world;
    this.#eye = eye;
    this.#question = new SightQuestion(tables, eye);
    this.lingerTicks = Math.ceil((options.lingerMs ?? 250) / options.tickMs);
    this.maxTests = options.maxSightTests ?? 256;
  }

  sees(table: AnyWorldTable, index: number): boolean {
    // Who has never had a place to look from sees nothing.
    return this.#eye.isSomewhere && this.#visible(this.#world, this.#question.about(table, index));
  }
}
