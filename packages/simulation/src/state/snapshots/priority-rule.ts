import type { AnyTable } from "../state-table.ts";

/** Decides, beyond a state's own priority and the distance, who goes first when a snapshot has no room for everybody. */
export interface PriorityRule {
  /**
   * What the claim of a row is multiplied with: finite and at least 0. Asked once for each row that the client does not
   * own and that could go into a snapshot, and only when not all of them have room.
   */
  factor(table: AnyTable, index: number): number;
}
