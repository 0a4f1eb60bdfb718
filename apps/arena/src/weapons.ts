/** Rifle and orb. Everybody pulls the trigger and flies his orbs in prediction; only the server hurts. */
import { defineWeapons, HitRegistration, PredictedHits, ProjectileRewind } from "@riposte/simulation";
import type { RegisteredHit } from "@riposte/simulation";
import { atan2, cos, hypot, sin } from "@riposte/simulation/math";
import { abilitiesOf } from "./abilities.ts";
import { Blast, Hit, Kill, Launch } from "./messages.ts";
import {
  MUZZLE,
  ORB_BLAST_RADIUS,
  ORB_DAMAGE,
  ORB_LIFE_TICKS,
  ORB_RADIUS,
  ORB_SPEED,
  PLAYER_RADIUS,
  RESPAWN_TICKS,
  RIFLE_DAMAGE,
  RIFLE_RANGE,
  TICK_RATE,
} from "./rules.ts";
import type { ArenaWorld, OrbRow, Player, PlayerRow, Wish } from "./states.ts";

const RIFLE = 0;
const ORB = 1;
const seen = { x: 0, y: 0, angle: 0 };
const orbRewind = new ProjectileRewind({ tickRate: TICK_RATE });

/** How often it fires is for its ability to say. */
const weaponKit = defineWeapons({ tickRate: TICK_RATE, weapons: { rifle: { kind: "ray", range: RIFLE_RANGE } } });
const canBeHit = (player: PlayerRow): boolean => player.health > 0 && !player.shielded;
const rules = { accept: canBeHit };

export function useWeapons(world: ArenaWorld, player: PlayerRow, wish: Wish): void {
  const abilities = abilitiesOf(world);
  if (wish.fire && player.dash === 0 && abilities.activate(player, "rifle", world).outcome !== "rejected")
    shoot(world, player);
  if (wish.orb && abilities.activate(player, "orb", world).outcome !== "rejected") launch(world, player);
}

function shoot(world: ArenaWorld, player: PlayerRow): void {
  player.shots = (player.shots + 1) & 255;
  if (!world.isServer) {
    foreseenHitsOf(world).fire(world.tick, () => {
      const hit = judge(world, player);
      return hit && { target: hit.entity.owner, hitbox: hit.hitbox };
    });
    return;
  }
  dropShield(player);
  const hit = judge(world, player);
  if (hit === undefined) return;
  const { entity: target, x, y } = hit;
  if (!world.players.seenBy(player).poseOf(target, seen)) {
    seen.x = target.x;
    seen.y = target.y;
  }
  const places = { x, y, rewoundX: seen.x, rewoundY: seen.y };
  world.send(
    Hit,
    { tick: world.tick, weapon: RIFLE, victim: target.owner, damage: RIFLE_DAMAGE, ...places },
    player.owner,
  );
  hurt(world, target, RIFLE_DAMAGE, player, RIFLE);
}

function judge(world: ArenaWorld, player: PlayerRow): RegisteredHit<typeof Player.fields> | undefined {
  return HitRegistration.of(weaponKit, world.players, rules).judge(
    player,
    { weapon: "rifle", angle: player.aim },
    world,
  ).hit;
}

const foreseen = new WeakMap<ArenaWorld, PredictedHits>();

/** The rifle's hits that the client of this world foresees. */
export function foreseenHitsOf(world: ArenaWorld): PredictedHits {
  const known = foreseen.get(world) ?? new PredictedHits({ tickRate: TICK_RATE, confirmWithinMs: 1500 });
  foreseen.set(world, known);
  return known;
}

function launch(world: ArenaWorld, player: PlayerRow): void {
  if (world.isServer) dropShield(player);
  // The barrel may reach through a wall: the orb starts on this side of it.
  const reach = world.statics.raycast(player.x, player.y, player.aim, MUZZLE);
  const start = Math.min(MUZZLE, Math.max(0, reach - ORB_RADIUS));
  const x = player.x + cos(player.aim) * start;
  const y = player.y + sin(player.aim) * start;
  world.orbs.spawn(player.owner, { x, y, angle: player.aim, endsAtTick: (world.tick + ORB_LIFE_TICKS - 1) & 255 });
  world.emit(Launch, player, { x, y });
}

/** Flies orbs one tick: the server every one, a client its own. */
export function moveOrbs(world: ArenaWorld): void {
  for (const orb of world.orbs) {
    const way = ORB_SPEED * world.dt;
    const wall = world.statics.raycast(orb.x, orb.y, orb.angle, way + ORB_RADIUS);
    const free = Math.min(way, Math.max(0, wall - ORB_RADIUS));
    const touched = world.isServer ? wayToPlayer(world, orb, free) : Infinity;
    const flown = Math.min(free, touched);
    orb.x += cos(orb.angle) * flown;
    orb.y += sin(orb.angle) * flown;
    const ends = free < way || orb.endsAtTick === (world.tick & 255);
    if (ends || touched <= free) burst(world, orb);
  }
}

/** How far the orb gets before it touches a player, who is where the shooter saw him, or, the longer it has flown, is. */
function wayToPlayer(world: ArenaWorld, orb: OrbRow, way: number): number {
  const shooter = world.players.firstOwnedBy(orb.owner);
  if (shooter === undefined) return Infinity;
  const { x, y } = orb;
  const age = ORB_LIFE_TICKS - 1 - ((orb.endsAtTick - world.tick) & 255);
  const ball = { ax: x, ay: y, az: 0, bx: x, by: y, bz: 0, radius: ORB_RADIUS };
  const hit = world.players.seenBy(shooter).performSweep(ball, cos(orb.angle), sin(orb.angle), 0, way, {
    accept: canBeHit,
    towardsNow: orbRewind.towardsNow(age),
    throughWalls: true,
  });
  return hit?.distance ?? Infinity;
}

function burst(world: ArenaWorld, orb: OrbRow): void {
  world.emit(Blast, orb, { shooter: orb.owner, x: orb.x, y: orb.y });
  if (world.isServer) hurtAround(world, orb);
  world.orbs.despawn(orb);
}

function hurtAround(world: ArenaWorld, { x, y, owner }: OrbRow): void {
  const shooter = world.players.firstOwnedBy(owner);
  for (const player of world.players) {
    if (!canBeHit(player)) continue;
    const away = hypot(player.x - x, player.y - y);
    if (away > ORB_BLAST_RADIUS + PLAYER_RADIUS) continue;
    // No harm through walls.
    const angle = atan2(player.y - y, player.x - x);
    if (world.statics.raycast(x, y, angle, away) < away - PLAYER_RADIUS) continue;
    const share = 1 - Math.max(0, away - PLAYER_RADIUS) / ORB_BLAST_RADIUS;
    const damage = Math.ceil(ORB_DAMAGE * Math.max(0.3, share) * (player.owner === owner ? 0.4 : 1));
    if (shooter !== undefined && shooter !== player) {
      const places = { x: player.x, y: player.y, rewoundX: player.x, rewoundY: player.y };
      const hit = { tick: world.tick, weapon: ORB, victim: player.owner, damage, ...places };
      world.send(Hit, hit, shooter.owner);
    }
    hurt(world, player, damage, shooter ?? player, ORB);
  }
}

function hurt(world: ArenaWorld, victim: PlayerRow, damage: number, by: PlayerRow, weapon: number): void {
  victim.calmTicks = 0;
  abilitiesOf(world).cancel(victim, "damage", world);
  victim.health = Math.max(0, victim.health - damage);
  if (victim.health > 0) return;
  victim.respawnTicks = RESPAWN_TICKS;
  victim.deaths = Math.min(1023, victim.deaths + 1);
  if (by !== victim) by.kills = Math.min(1023, by.kills + 1);
  world.broadcast(Kill, {
    killer: by.owner,
    victim: victim.owner,
    killerName: by.name,
    victimName: victim.name,
    killerHue: by.hue,
    victimHue: victim.hue,
    weapon,
  });
}

function dropShield(player: PlayerRow): void {
  player.shielded = false;
  player.shieldTicks = 0;
}
