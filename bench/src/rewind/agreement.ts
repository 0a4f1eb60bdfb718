/** Whether others say the same of the same rays. What is hit or missed by less than a millimetre may be either. */
import { NaiveRays } from "./naive.ts";
import { RANGE, RAY_NUMBERS } from "./rays.ts";
import type { MovingView } from "./rays.ts";
import type { Scene } from "./scene.ts";

const GRAZE = 1e-3;

/** Rays that were compared, and those of them that graze somebody, on which there were two opinions. */
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
  const castAt = (at: number, thicker: number): number => {
    naive.thicker = thicker;
    naive.raycast(rays[at], rays[at + 1], rays[at + 2], rays[at + 3], rays[at + 4], rays[at + 5], RANGE);
    return naive.place;
  };
  let grazed = 0;
  for (let i = 0; i < places.length; i++) {
    const at = i * RAY_NUMBERS;
    view.viewTick = rays[at + 6];
    const expected = castAt(at, 0);
    if (expected === places[i]) continue;
    const opinions = [castAt(at, -GRAZE), castAt(at, GRAZE)];
    if (opinions[0] === opinions[1] || !opinions.includes(places[i]))
      throw new Error(`${name} says that ray ${i} meets ${places[i]}, and not ${expected}`);
    grazed++;
  }
  return { compared: places.length, grazed };
}
