/** Walking and dashing: the part of the step that clients feel at once. */
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

const DIAGONAL = Math.SQRT1_2;
const place = { x: 0, y: 0 };

export function movePlayer(world: ArenaWorld, player: PlayerRow, wish: Wish): void {
  const { dt } = world;
  let wayX = Number(wish.right) - Number(wish.left);
  let wayY = Number(wish.down) - Number(wish.up);
  if (wayX !== 0 && wayY !== 0) {
    wayX *= DIAGONAL;
    wayY *= DIAGONAL;
  }
  player.aim = wish.aim;
  player.energy = Math.min(MAX_ENERGY, player.energy + ENERGY_PER_SEC * dt);

  if (player.dashWait > 0) player.dashWait--;
  if (wish.dash && player.dashWait === 0 && player.energy >= DASH_ENERGY) {
    player.energy -= DASH_ENERGY;
    player.dashWait = DASH_COOLDOWN_TICKS;
    player.dash = DASH_TICKS;
    // Standing still one dashes where one aims.
    const standing = wayX === 0 && wayY === 0;
    player.vx = (standing ? Math.cos(wish.aim) : wayX) * DASH_SPEED;
    player.vy = (standing ? Math.sin(wish.aim) : wayY) * DASH_SPEED;
  }
  if (player.dash > 0) {
    player.dash--;
    if (player.dash === 0) slowTo(player, MOVE_SPEED);
  } else {
    accelerate(player, wayX * MOVE_SPEED, wayY * MOVE_SPEED, dt);
  }

  place.x = player.x;
  place.y = player.y;
  const fromX = player.x;
  const fromY = player.y;
  const touched = world.statics.moveCircle(place, PLAYER_RADIUS, player.vx * dt, player.vy * dt);
  player.x = place.x;
  player.y = place.y;
  if (touched) {
    // What the wall took is no speed any more.
    player.vx = (place.x - fromX) / dt;
    player.vy = (place.y - fromY) / dt;
  }
}

function accelerate(player: PlayerRow, goalX: number, goalY: number, dt: number): void {
  const offX = goalX - player.vx;
  const offY = goalY - player.vy;
  const off = Math.sqrt(offX * offX + offY * offY);
  if (off === 0) return;
  const most = (goalX === 0 && goalY === 0 ? BRAKING : ACCELERATION) * dt;
  const share = off <= most ? 1 : most / off;
  player.vx += offX * share;
  player.vy += offY * share;
}

function slowTo(player: PlayerRow, limit: number): void {
  const speed = Math.sqrt(player.vx * player.vx + player.vy * player.vy);
  if (speed <= limit) return;
  player.vx *= limit / speed;
  player.vy *= limit / speed;
}
