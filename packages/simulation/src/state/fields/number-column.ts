/** What holds the numbers of a field, or of a component of one, for all slots of a table. */
export type NumberColumn = Float64Array | Float32Array | Int32Array | Uint8Array;

export function isNumberColumn(column: unknown): column is NumberColumn {
  return (
    column instanceof Float64Array ||
    column instanceof Float32Array ||
    column instanceof Int32Array ||
    column instanceof Uint8Array
  );
}
