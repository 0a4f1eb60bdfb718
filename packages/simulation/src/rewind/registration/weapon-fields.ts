/**
 * What weapons keep of an entity, as fields of its state: when it may fire again and what is left in the magazine. So a
 * client predicts both, and a correction undoes them.
 */
import { uint } from "../../state/index.ts";
import type { Audience } from "../../state/index.ts";
import { weaponFieldNames } from "./weapon-kit.ts";
import type { WeaponKit } from "./weapon-kit.ts";

/** Spread this into `defineState`. Rounds are for a game to read: `<weapon>Rounds`, of weapons with a magazine. */
export type WeaponFields<W extends string> = { readonly [K in W as `${K}Rounds`]: ReturnType<typeof uint> };

/** A new row has empty magazines: `HitRegistration.reset` fills them. `audience`: who is told. Default "owner". */
export function weaponFields<W extends string>(
  kit: WeaponKit<W>,
  options: { readonly audience?: Audience } = {},
): WeaponFields<W> {
  const { audience = "owner" } = options;
  const fields: Record<string, ReturnType<typeof uint>> = {};
  for (const { name, intervalTicks, magazine } of kit.weapons) {
    if (intervalTicks > 0) fields[weaponFieldNames.readyAt(name)] = uint({ max: MAX_TICK, audience });
    if (magazine > 0) fields[weaponFieldNames.rounds(name)] = uint({ max: magazine, audience });
  }
  // Only those that have a magazine are there: the compiler cannot see that.
  return fields as unknown as WeaponFields<W>;
}

/** Ticks are whole numbers up to this. */
export const MAX_TICK: number = 2 ** 31 - 1;
