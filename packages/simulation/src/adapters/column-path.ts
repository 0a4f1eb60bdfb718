/** Columns of numbers by name: a field, or a component of a vector or quaternion. */
import type { Fields, StateTable, StorageOf } from "../state/index.ts";
import { isNumberColumn } from "../state/fields/number-column.ts";
import type { NumberColumn } from "../state/fields/number-column.ts";

type PathOf<Storage, K extends string> = Storage extends NumberColumn
  ? K
  : Storage extends { readonly x: NumberColumn }
    ? `${K}.${keyof Storage & string}`
    : never;

/** "x", "aim" for fields of numbers, booleans and names; "velocity.x" for components. */
export type ColumnPath<F extends Fields> = { [K in keyof F & string]: PathOf<StorageOf<F[K]>, K> }[keyof F & string];

/** The typed array behind a path. Throws `RangeError` for one that names no column of numbers. */
export function columnAt<F extends Fields>(table: StateTable<F>, path: string): NumberColumn {
  const [field, part, ...more] = path.split(".");
  const columns: Readonly<Record<string, unknown>> = table.columns;
  let column = Object.hasOwn(columns, field) ? columns[field] : undefined;
  if (part !== undefined && typeof column === "object" && column !== null && !ArrayBuffer.isView(column))
    column = (column as Readonly<Record<string, unknown>>)[part];
  else if (part !== undefined) column = undefined;
  if (more.length > 0 || !isNumberColumn(column)) throw new RangeError(`there is no column of numbers "${path}"`);
  return column;
}
