/** The arena: one step, run by the server for everybody and by each client for its own player. */
import { defineGame, hypot, inspectAbilities } from "@riposte/simulation";
import { abilitiesOf, abilityKit, mendEvents, stepAbilities } from "./abilities.ts";
import { arenaStatics, spawnPoints } from "./map.ts";
import { Blast, Hit, Kill, Launch, Scores } from "./messages.ts";
import { movePlayer } from "./movement.ts";
import { readProfile } from "./profile.ts";
import { CALM_TICKS, HEALTH_PER_SEC, MAX_HEALTH, SHIELD_TICKS, SIGHT_RADIUS, TICK_RATE } from "./rules.ts";
import { Intent, states } from "./states.ts";
import type { ArenaWorld, PlayerRow } from "./states.ts";
import { moveOrbs, useWeapons } from "./weapons.ts";

const SCORE_TICKS = TICK_RATE;
const BOARD_SIZE = 8;

export const game = defineGame({
  name: "arena",
  tickRate: TICK_RATE,
  snapshotRate: 30,
  states,
  input: Intent,
  messages: [Kill, Hit, Scores],
  events: [Launch, Blast, ...mendEvents.definitions],
  prediction: { spawns: ["orbs"] },
  statics: arenaStatics,
  interest: { radius: SIGHT_RADIUS },

  join(world, client) {
    const { name, hue } = readProfile(client.userData, client.id);
    enter(world, world.players.spawn(client.id, { name, hue }));
  },

  inspectAbilities(world, seat, tick) {
    const player = world.players.firstOwnedBy(seat);
    return player && inspectAbilities(abilityKit, player, tick);
  },

  step(world, inputs) {
    for (const player of world.players) {
      if (player.health === 0) {
        player.vx = player.vy = player.dash = 0;
        if (world.isServer && --player.respawnTicks === 0) enter(world, player);
        continue;
      }
      const wish = inputs.of(player);
      stepAbilities(world, player, wish);
      movePlayer(world, player, wish);
      useWeapons(world, player, wish);
      if (world.isServer) recover(world, player);
    }
    moveOrbs(world);
    if (world.isServer && world.tick % SCORE_TICKS === 0) publishScores(world);
  },
});

export type ArenaGame = typeof game;

/** Server: shield and wounds. */
function recover(world: ArenaWorld, player: PlayerRow): void {
  if (player.shieldTicks > 0 && --player.shieldTicks === 0) player.shielded = false;
  if (player.calmTicks < CALM_TICKS) {
    player.calmTicks++;
  } else if (player.health < MAX_HEALTH) {
    player.regrown += HEALTH_PER_SEC * world.dt;
    if (player.regrown >= 0.999) {
      player.regrown = 0;
      player.health++;
    }
  }
}

/** Server: puts a player where it is farthest from everybody, with some chance in it. */
function enter(world: ArenaWorld, player: PlayerRow): void {
  let best = spawnPoints[0];
  let bestScore = -Infinity;
  for (const point of spawnPoints) {
    let nearest = 30;
    for (const other of world.players) {
      if (other !== player && other.health > 0)
        nearest = Math.min(nearest, hypot(other.x - point.x, other.y - point.y));
    }
    const score = nearest + world.random.next() * 14;
    if (score > bestScore) {
      best = point;
      bestScore = score;
    }
  }
  player.x = best.x;
  player.y = best.y;
  player.vx = player.vy = player.dash = 0;
  player.health = MAX_HEALTH;
  abilitiesOf(world).reset(player);
  player.calmTicks = CALM_TICKS;
  player.shielded = true;
  player.shieldTicks = SHIELD_TICKS;
}

/** Server: the score board, to everybody. */
function publishScores(world: ArenaWorld): void {
  const players = [...world.players.all()];
  players.sort((a, b) => b.kills - a.kills || a.deaths - b.deaths || a.owner - b.owner);
  const best = players.slice(0, BOARD_SIZE);
  world.broadcast(Scores, {
    players: players.length,
    seats: best.map((player) => player.owner),
    names: best.map((player) => player.name),
    hues: best.map((player) => player.hue),
    kills: best.map((player) => player.kills),
    deaths: best.map((player) => player.deaths),
  });
}
