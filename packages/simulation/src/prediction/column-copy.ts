/**
 * Copies single rows from one table to another of the same definition, column by column, without
 * going through records: what is drawn becomes what a step sees.
 */
import type { Fields, StateTable } from "../state/index.ts";
import { isNumberColumn } from "../state/fields/number-column.ts";
import type { NumberColumn } from "../state/fields/number-column.ts";

export class ColumnCopy {
  /** Whether every column is a plain array of values; lists and bytes are not. */
  readonly complete: boolean;
  readonly #from: NumberColumn[] = [];
  readonly #to: NumberColumn[] = [];
  readonly #textFrom: string[][] = [];
  readonly #textTo: string[][] = [];

  constructor(from: StateTable<Fields>, to: StateTable<Fields>) {
    let complete = true;
    for (const entry of from.definition.entries) {
      const source: unknown = from.columns[entry.name];
      const target: unknown = to.columns[entry.name];
      if (entry.field.kind === "text" && isTexts(source) && isTexts(target)) {
        this.#textFrom.push(source);
        this.#textTo.push(target);
      } else if (entry.field.kind === "bytes" || entry.field.kind === "list" || !this.#addNumbers(source, target)) {
        complete = false;
      }
    }
    this.complete = complete;
  }

  copy(index: number): void {
    for (let i = 0; i < this.#from.length; i++) this.#to[i][index] = this.#from[i][index];
    for (let i = 0; i < this.#textFrom.length; i++) this.#textTo[i][index] = this.#textFrom[i][index];
  }

  /** A typed array, or an object of them (the components of a vector). */
  #addNumbers(source: unknown, target: unknown): boolean {
    if (isNumberColumn(source) && isNumberColumn(target)) {
      this.#from.push(source);
      this.#to.push(target);
      return true;
    }
    if (!isRecord(source) || !isRecord(target)) return false;
    for (const part of Object.keys(source)) if (!this.#addNumbers(source[part], target[part])) return false;
    return true;
  }
}

function isTexts(storage: unknown): storage is string[] {
  return Array.isArray(storage);
}

function isRecord(storage: unknown): storage is Record<string, unknown> {
  return typeof storage === "object" && storage !== null && !ArrayBuffer.isView(storage) && !Array.isArray(storage);
}
