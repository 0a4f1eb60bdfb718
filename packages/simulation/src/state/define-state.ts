import { layOut } from "./definition.ts";
import type { RecordDefinition } from "./definition.ts";
import type { Fields, Row, RowIdentity } from "./fields/field.ts";
import type { HitboxSet } from "../rewind/hitboxes/hitbox-set.ts";

/** Declares the state of one kind of entity: what a table stores, what clients are sent, what is hit. */

/** What rays hit, around the entity's position. */
export type Hitbox = CircleHitbox | CapsuleHitbox;

export interface CircleHitbox {
  readonly shape: "circle";
  readonly radius: number;
}

/** A circle swept along a segment of `length` that is centred on the entity and points along the field `angle`. */
export interface CapsuleHitbox {
  readonly shape: "capsule";
  readonly radius: number;
  readonly length: number;
  /** Name of the angle field that turns it; along the x axis when `undefined`. */
  readonly angle: string | undefined;
}

/**
 * Puts one hitbox of an entity, by name, where it is: moved by an offset from where it is declared, and turned about its middle
 * by a unit quaternion (default: not). Offsets are at most 31.9; 1/1024 fine.
 */
export type PlaceHitbox = (
  hitbox: string,
  x: number,
  y: number,
  z: number,
  qx?: number,
  qy?: number,
  qz?: number,
  qw?: number,
) => void;

export interface StateOptions<F extends Fields = Fields> {
  /** Most rows alive at once, 1 to 65,536. Default 256. */
  readonly capacity?: number;
  /**
   * Where an entity is: the names of two number fields, of three in a game with heights, or of one vec2 or vec3 field.
   * Default: fields "x" and "y", with "z", or "position", if they exist. Without a position an entity is relevant to
   * everyone and cannot be hit.
   */
  readonly position?: readonly [x: string, y: string, z?: string] | string;
  /** What rays hit in the plane. Default: a circle of radius 0.5. */
  readonly hitbox?: Hitbox;
  /** More than one shape, or shapes in space: `defineHitboxes`. Takes the place of `hitbox`. */
  readonly hitboxes?: HitboxSet;
  /** Name of the angle field, or of the quaternion field, that turns `hitboxes`. Default: nothing does. */
  readonly turn?: string;
  /** Of `hitboxes` with a palette: name of the whole number that says in which of its frames they stand. */
  readonly frame?: string;
  /**
   * Of `hitboxes` that are "posed": says by `place` where each of them is, from what the row has; those that it does not name
   * are where they were declared. Called on the server for each row in each tick, and on clients for what is drawn when somebody
   * shoots. Must depend on nothing but the row.
   */
  readonly pose?: (this: void, row: Row<F>, place: PlaceHitbox) => void;
  /** Name of the whole number whose bit i says that hitbox i cannot be hit. */
  readonly disabled?: string;
  /** Whether entities of this state stop what is shot at others: doors, shields. Default false. */
  readonly blocks?: boolean;
  /** How fast its claim on a client's byte budget grows, against 1 for others. Default 1. */
  readonly priority?: number;
}

export interface StateDefinition<F extends Fields = Fields> extends RecordDefinition<F> {
  readonly kind: "state";
  readonly capacity: number;
  /** Names of two or three number fields, one vector field, or nothing. */
  readonly position: readonly string[];
  readonly hitbox: Hitbox;
  readonly rewound: RewoundFields;
  readonly priority: number;
}

/** How a state's entities are kept for hits, beyond a plain `hitbox`. */
export interface RewoundFields {
  readonly hitboxes?: HitboxSet;
  readonly turn?: string;
  readonly frame?: string;
  readonly disabled?: string;
  readonly pose?: (this: void, row: RowIdentity, place: PlaceHitbox) => void;
  readonly blocks: boolean;
}

export function circle(options: { readonly radius: number }): CircleHitbox {
  if (!(options.radius > 0)) throw new RangeError(`circle: radius ${options.radius} must be above 0`);
  return { shape: "circle", radius: options.radius };
}

export function capsule(options: {
  readonly radius: number;
  readonly length: number;
  readonly angle?: string;
}): CapsuleHitbox {
  const { radius, length, angle } = options;
  if (!(radius > 0) || !(length >= 0))
    throw new RangeError(`capsule: radius ${radius} and length ${length} must be positive`);
  return { shape: "capsule", radius, length, angle };
}

/** Throws `RangeError` for options that name fields which do not exist or that are out of range. */
export function defineState<const F extends Fields>(
  fields: F,
  options: StateOptions<NoInfer<F>> = {},
): StateDefinition<F> {
  const capacity = options.capacity ?? 256;
  if (!Number.isInteger(capacity) || capacity < 1 || capacity > 65536) {
    throw new RangeError(`defineState: capacity ${capacity} must be 1 to 65536`);
  }
  const priority = options.priority ?? 1;
  if (!(priority > 0) || priority === Infinity)
    throw new RangeError(`defineState: priority ${priority} must be above 0`);
  const position = positionNames(fields, options.position);
  const hitbox = options.hitbox ?? circle({ radius: 0.5 });
  if (hitbox.shape === "capsule" && hitbox.angle !== undefined && fields[hitbox.angle]?.kind !== "angle") {
    throw new RangeError(`defineState: the hitbox is turned by "${hitbox.angle}", which is not an angle field`);
  }
  return { ...layOut("state", fields), capacity, position, hitbox, rewound: rewoundFields(fields, options), priority };
}

/** Checks the fields that hitboxes depend on. */
function rewoundFields<F extends Fields>(fields: F, options: StateOptions<F>): RewoundFields {
  const { hitbox, hitboxes, frame, disabled, blocks = false } = options;
  if (hitbox !== undefined && hitboxes !== undefined) throw new RangeError("defineState: hitbox or hitboxes, not both");
  // A capsule in the plane has named its angle itself.
  const turn = options.turn ?? (hitbox?.shape === "capsule" ? hitbox.angle : undefined);
  const check = (what: string, name: string | undefined, kinds: readonly string[]): void => {
    if (name !== undefined && !kinds.includes(fields[name]?.kind ?? ""))
      throw new RangeError(`defineState: ${what} "${name}" must be a field of kind ${kinds.join(" or ")}`);
  };
  check("turn", turn, ["angle", "quaternion"]);
  check("frame", frame, ["uint", "int"]);
  check("disabled", disabled, ["uint", "int"]);
  if ((hitboxes?.pose === "posed") !== (options.pose !== undefined))
    throw new RangeError('defineState: pose is given with hitboxes that are "posed", and only then');
  if ((hitboxes?.pose === "palette") !== (frame !== undefined))
    throw new RangeError("defineState: frame is given with a palette of poses, and only then");
  return {
    ...(hitboxes === undefined ? {} : { hitboxes }),
    ...(turn === undefined ? {} : { turn }),
    ...(frame === undefined ? {} : { frame }),
    ...(disabled === undefined ? {} : { disabled }),
    // It is called with rows of this state only.
    ...(options.pose === undefined ? {} : { pose: options.pose as Required<RewoundFields>["pose"] }),
    blocks,
  };
}

function positionNames(fields: Fields, given: StateOptions["position"]): readonly string[] {
  const isNumber = (name: string): boolean => ["uint", "int", "float", "f32"].includes(fields[name]?.kind ?? "");
  const isVector = (name: string): boolean => ["vec2", "vec3"].includes(fields[name]?.kind ?? "");
  if (given === undefined) {
    if (isNumber("x") && isNumber("y")) return isNumber("z") ? ["x", "y", "z"] : ["x", "y"];
    return isVector("position") ? ["position"] : [];
  }
  const names = typeof given === "string" ? [given] : given.filter((name) => name !== undefined);
  if (names.length === 1 ? !isVector(names[0]) : !([2, 3].includes(names.length) && names.every(isNumber))) {
    throw new RangeError(
      `defineState: position ${names.join(", ")} must be two or three number fields or one vector field`,
    );
  }
  return names;
}
