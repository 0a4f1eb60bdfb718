/** Whether others say the same of the same rays. What is hit, missed or met before
 * another by less than a millimetre may be either. */
import { NaiveRays } from "./naive.ts";
import { RANGE, RAY_NUMBERS } from "./rays.ts";
import type { MovingView } from "./rays.ts";
import type { Scene } from "./scene.ts";

const GRAZE = 1e-3;

/** Rays that were compared, and those on which there were two opinions, within a millimetre. */
export interface Agreement {
  readonly compared: number;
  readonly grazed: number;
}

/** Throws `Error` when `places` are not whom looking at everybody finds. */
export function compare(
  name: string,
  scene: Scene,
  view: MovingView,
  rays: Float64Array,
  places: ArrayLike<number>,
): Agreement {
  const naive = new NaiveRays(scene.history);
  naive.look(view);
  const castAt = (at: number): number =>
    naive.raycast(rays[at], rays[at + 1], rays[at + 2], rays[at + 3], rays[at + 4], rays[at + 5], RANGE);
  let grazed = 0;
  for (let i = 0; i < places.length; i++) {
    const at = i * RAY_NUMBERS;
    view.viewTick = rays[at + 6];
    const distance = castAt(at);
    const expected = naive.place;
    if (expected === places[i]) continue;
    if (!isClose(at, distance, places[i])) throw new Error(`${name}: ray ${i} meets ${places[i]}, and not ${expected}`);
    grazed++;
  }
  return { compared: places.length, grazed };

  /** Whether it is a matter of a millimetre: of how thick everybody is, or of who is met first. */
  function isClose(at: number, distance: number, place: number): boolean {
    const opinions = [-GRAZE, GRAZE].map((thicker) => {
      naive.thicker = thicker;
      castAt(at);
      return naive.place;
    });
    naive.thicker = 0;
    if (opinions[0] !== opinions[1] && opinions.includes(place)) return true;
    naive.only = place;
    const claimed = place < 0 ? Infinity : castAt(at);
    naive.only = -1;
    return Math.abs(claimed - distance) <= GRAZE;
  }
}
