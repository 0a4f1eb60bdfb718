/** Walking and dashing: the part of the step that clients feel at once. */
import { MovementPredictor } from "@riposte/simulation";
import {
  ACCELERATION,
  BRAKING,
  DASH_COOLDOWN_TICKS,
  DASH_ENERGY,
  DASH_SPEED,
  DASH_TICKS,
  ENERGY_PER_SEC,
  MAX_ENERGY,
  MOVE_SPEED,
  PLAYER_RADIUS,
} from "./rules.ts";
import type { ArenaWorld, PlayerRow, Wish } from "./states.ts";

/** How a player moves. Whether a dash may start is decided below. */
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
  want.dash = startsDash(world, player, wish);
  mover.step(player, want, world.dt, world.statics);
}

function startsDash(world: ArenaWorld, player: PlayerRow, wish: Wish): boolean {
  player.energy = Math.min(MAX_ENERGY, player.energy + ENERGY_PER_SEC * world.dt);
  if (player.dashWait > 0) player.dashWait--;
  if (!wish.dash || player.dashWait > 0 || player.energy < DASH_ENERGY) return false;
  player.energy -= DASH_ENERGY;
  player.dashWait = DASH_COOLDOWN_TICKS;
  return true;
}
