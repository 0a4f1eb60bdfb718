/**
 * What a client has drawn, for the ticks whose inputs were given at the sight of it: where everybody with a place was, for the
 * last pictures. For debugging shots: nothing is noted while the debug channel is closed.
 */
import type { Fields, StateTable } from "../state/index.ts";
import { readPlace } from "./shot-account.ts";
import type { PresentPlace } from "./shot-account.ts";

interface Noted {
  /** Inputs from this tick on were given at the sight of it. */
  fromTick: number;
  readonly places: PresentPlace[];
}

export class PictureRecorder {
  readonly #tables: Readonly<Record<string, StateTable<Fields>>>;
  /** By rising tick. */
  readonly #pictures: Noted[] = [];

  /** `tables`: those of the view, by name. */
  constructor(tables: Readonly<Record<string, StateTable<Fields>>>) {
    this.#tables = tables;
  }

  /** A picture was drawn; the next input is that of `nextTick`. */
  note(nextTick: number): void {
    const pictures = this.#pictures;
    const newest = pictures.at(-1);
    // Frames without an input between them: the last one counts.
    const picture =
      newest?.fromTick === nextTick ? newest : pictures.length < MAX_PICTURES ? undefined : pictures.shift();
    const places: PresentPlace[] = picture?.places ?? [];
    places.length = 0;
    for (const name in this.#tables) {
      const table = this.#tables[name];
      const { highWater, alive, positionX, positionY } = table;
      if (positionX === undefined || positionY === undefined) continue;
      for (let index = 0; index < highWater && places.length < MAX_PLACES; index++)
        if (alive[index] === 1)
          places.push({ table: name, id: table.idAt(index), x: positionX[index], y: positionY[index] });
    }
    if (picture === undefined || picture !== newest) pictures.push({ fromTick: nextTick, places });
  }

  /** Where everybody was drawn when the input of `tick` was given; `undefined` when that is not known any more. */
  at(tick: number): readonly PresentPlace[] | undefined {
    const found = this.#pictures.findLast(({ fromTick }) => fromTick <= tick);
    return found?.places;
  }

  /** Another session begins. */
  clear(): void {
    this.#pictures.length = 0;
  }
}

/** What `PictureRecorder.at` gave on the other side; `undefined` when it is nothing of the kind. */
export function readPlaces(value: unknown): PresentPlace[] | undefined {
  try {
    return Array.isArray(value) ? value.map(readPlace) : undefined;
  } catch {
    return undefined;
  }
}

/** Two seconds at 60 ticks. */
const MAX_PICTURES = 128;
/** So that they fit a message of the debug channel. */
const MAX_PLACES = 192;
