/**
 * Which entities a client simulates: its own, the shared ones in reach of its own entity, and other players whose inputs
 * are relayed. It is decided anew with each snapshot; what has come into reach is kept until it is a quarter farther away.
 */
import type { AnyWorldTable } from "../../game/world.ts";
import { hypot } from "../../math/index.ts";
import type { AuthoritativeTable } from "../authoritative-state.ts";
import type { TablePrediction } from "../prediction-options.ts";

export class PredictedSet {
  /** By table and index: 1 for what is predicted. */
  readonly marks: readonly Uint8Array[];
  /** Whether entities of others are among them that are simulated by relayed inputs. */
  hasRemote = false;
  readonly #tables: readonly AnyWorldTable[];
  readonly #predictions: readonly TablePrediction[];
  readonly #wide: boolean;
  #x = Number.NaN;
  #y = Number.NaN;

  constructor(tables: readonly AnyWorldTable[], predictions: readonly TablePrediction[]) {
    this.#tables = tables;
    this.#predictions = predictions;
    this.marks = tables.map((table) => new Uint8Array(table.capacity));
    this.#wide = predictions.some(({ sharedRadius, remoteRadius }) => sharedRadius + remoteRadius > 0);
  }

  clear(): void {
    for (const marks of this.marks) marks.fill(0);
    this.hasRemote = false;
  }

  /** Decides by the server's newest word. True when an entity of others has come or gone. */
  update(states: readonly AuthoritativeTable[], seat: number): boolean {
    if (this.#wide) this.#lookAround(seat);
    let changed = false;
    this.hasRemote = false;
    for (let t = 0; t < states.length; t++) {
      const { present, owners } = states[t];
      const marks = this.marks[t];
      const { sharedRadius, remoteRadius } = this.#predictions[t];
      for (let index = 0; index < present.length; index++) {
        const was = marks[index];
        if (present[index] === 0) {
          marks[index] = 0;
          continue;
        }
        const own = owners[index] === seat;
        const remote = !own && remoteRadius > 0 && owners[index] >= 0 && this.#isNear(t, index, was, remoteRadius);
        const shared = !own && sharedRadius > 0 && this.#isNear(t, index, was, sharedRadius);
        if (remote) this.hasRemote = true;
        marks[index] = own || remote || shared ? 1 : 0;
        if (!own && marks[index] !== was) changed = true;
      }
    }
    return changed;
  }

  /** Finds the client's own first entity with a position. */
  #lookAround(seat: number): void {
    this.#x = Number.NaN;
    for (const table of this.#tables) {
      const { positionX, positionY, owners, alive, highWater } = table;
      if (positionX === undefined || positionY === undefined) continue;
      for (let index = 0; index < highWater; index++) {
        if (alive[index] === 0 || owners[index] !== seat) continue;
        this.#x = positionX[index];
        this.#y = positionY[index];
        return;
      }
    }
  }

  /** By where the entity is drawn or predicted; what is not drawn yet is not near. */
  #isNear(t: number, index: number, was: number, radius: number): boolean {
    const { positionX, positionY, alive } = this.#tables[t];
    if (positionX === undefined || positionY === undefined || alive[index] === 0) return false;
    const distance = hypot(positionX[index] - this.#x, positionY[index] - this.#y);
    return distance <= (was === 1 ? radius * LEAVE_FACTOR : radius);
  }
}

const LEAVE_FACTOR = 1.25;
