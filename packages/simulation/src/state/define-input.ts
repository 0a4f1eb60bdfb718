import { layOut } from "./definition.ts";
import type { RecordDefinition } from "./definition.ts";
import type { Fields } from "./fields/field.ts";

/** Declares what a player's input of one tick is made of. */
export interface InputDefinition<F extends Fields = Fields> extends RecordDefinition<F> {
  readonly kind: "input";
}

/** The neutral input (all 0, false, first name) is what a missing input counts as. */
export function defineInput<const F extends Fields>(fields: F): InputDefinition<F> {
  return layOut("input", fields);
}

/** Declares the fields of a message: the same types, without a table. */
export interface FieldsDefinition<F extends Fields = Fields> extends RecordDefinition<F> {
  readonly kind: "fields";
}

export function defineFields<const F extends Fields>(fields: F): FieldsDefinition<F> {
  return layOut("fields", fields);
}
