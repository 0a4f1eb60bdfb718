/** Walking and dashing: the part of the step that clients feel at once. */
import { MovementPredictor } from "@riposte/simulation";
import { abilitiesOf } from "./abilities.ts";
import { ACCELERATION, BRAKING, DASH_SPEED, DASH_TICKS, MOVE_SPEED, PLAYER_RADIUS } from "./rules.ts";
import type { ArenaWorld, PlayerRow, Wish } from "./states.ts";

/** How a player moves. Whether a dash may start is for its ability to say. */
const mover = new MovementPredictor({
  radius: PLAYER_RADIUS,
  maxSpeed: MOVE_SPEED,
  acceleration: ACCELERATION,
  friction: BRAKING,
  dashSpeed: DASH_SPEED,
  dashTicks: DASH_TICKS,
});
const want = { moveX: 0, moveY: 0, jump: false, dash: false, aim: 0 };

export function movePlayer(world: ArenaWorld, player: PlayerRow, wish: Wish): void {
  want.moveX = Number(wish.right) - Number(wish.left);
  want.moveY = Number(wish.down) - Number(wish.up);
  want.aim = wish.aim;
  want.dash = wish.dash && abilitiesOf(world).activate(player, "dash", world).outcome !== "rejected";
  mover.step(player, want, world.dt, world.statics);
}
