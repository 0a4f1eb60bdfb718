/** The columns of a table in which the ability state of its rows is. */

/** A table whose state has the fields of a kit. */
export interface AbilityTable {
  readonly columns: object;
}

/** A column of ticks or counts. Throws `TypeError` when the state lacks it. */
export function countColumn(table: AbilityTable, name: string): Int32Array {
  const column: unknown = Reflect.get(table.columns, name);
  if (column instanceof Int32Array) return column;
  throw missing(name);
}

/** The column of a resource. Throws `TypeError` when the state lacks it. */
export function resourceColumn(table: AbilityTable, name: string): Float64Array {
  const column: unknown = Reflect.get(table.columns, name);
  if (column instanceof Float64Array) return column;
  throw missing(name);
}

/** Zeroes a row in all of them. */
export function clearRow(columns: readonly (Int32Array | undefined)[], index: number): void {
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i];
    if (column !== undefined) column[index] = 0;
  }
}

function missing(name: string): TypeError {
  return new TypeError(`the state has no field "${name}": spread abilityFields into defineState`);
}
