/** The coordinates that say where a state's entities are, and by which of its fields' rules they are drawn between updates. */
import type { FieldEntry, Fields, StateDefinition, StateTable } from "../state/index.ts";
import type { AxisPath } from "./history/snapshot-history.ts";

export type Numbers = Float64Array | Int32Array | Uint8Array;

/** One of x, y and z. */
export interface PositionAxis {
  readonly values: Numbers | undefined;
  readonly path: AxisPath;
  /** Of a `path` that is "told": units per second. */
  readonly speeds: Numbers | undefined;
  /** Of its field. */
  readonly teleport: number;
}

/** x, y and z of the rows of `table`, which is one of `state`'s. */
export function positionAxes(
  state: StateDefinition,
  table: StateTable<Fields>,
): readonly [x: PositionAxis, y: PositionAxis, z: PositionAxis] {
  const [first, second, third] = state.position;
  const axisOf = (name: string | undefined, part: string | undefined): PositionAxis =>
    createAxis(state, table.columns, name === undefined ? undefined : state.entry(name), part);
  return second === undefined
    ? [axisOf(first, "x"), axisOf(first, "y"), axisOf(first, "z")]
    : [axisOf(first, undefined), axisOf(second, undefined), axisOf(third, undefined)];
}

function createAxis(
  state: StateDefinition,
  columns: Readonly<Record<string, unknown>>,
  entry: FieldEntry | undefined,
  part: string | undefined,
): PositionAxis {
  if (entry === undefined) return { values: undefined, path: "line", speeds: undefined, teleport: Infinity };
  const { blend, velocity, teleport } = entry.field.attributes;
  const values = numbersOf(columns[entry.name], part);
  // As `RecordBlend` has it.
  const isCurve = velocity !== undefined && blend === "linear" && values instanceof Float64Array;
  const isTold = isCurve && state.entry(velocity)?.field.attributes.audience === "all";
  const path = isTold ? "told" : isCurve ? "estimated" : blend === "step" ? "step" : "line";
  const speeds = isTold ? numbersOf(columns[velocity], part) : undefined;
  return { values, path: values === undefined ? "line" : path, speeds, teleport };
}

/** A column of numbers, or one component of a column of vectors. */
export function numbersOf(storage: unknown, part?: string): Numbers | undefined {
  if (part !== undefined)
    return typeof storage === "object" && storage !== null && part in storage
      ? numbersOf((storage as Readonly<Record<string, unknown>>)[part])
      : undefined;
  const isNumbers = storage instanceof Float64Array || storage instanceof Int32Array || storage instanceof Uint8Array;
  return isNumbers ? storage : undefined;
}
