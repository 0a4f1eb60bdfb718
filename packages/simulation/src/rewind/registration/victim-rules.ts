/** Who cannot be hit just now although the shooter saw it: behind cover for long, invulnerable, dashing. Server only. */
import type { Fields, RowIdentity } from "../../state/index.ts";
import type { SeenHit } from "../seen-by.ts";

export interface VictimRules<F extends Fields = Fields> {
  /**
   * Asked once for each entity that a shot met and that would count. `place`: its index; `hit` is borrowed. `newsMs`:
   * how long ago the shooter saw it, or how old the news were from which that was carried on; `weapon`: the name of what it
   * shot with. Returns why the hit does not count, a name of the rule's own; `undefined`: it does.
   */
  protects(place: number, hit: SeenHit<F>, shooter: RowIdentity, newsMs: number, weapon: string): string | undefined;
}
